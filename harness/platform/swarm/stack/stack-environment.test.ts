import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { renderGateway } from '../../../../swarm/gateway/render-gateway.js';
import { packageRoot } from '../../../../tests/support/package-root.js';
import { tempFolder } from '../../../../tests/support/temp-folder.js';
import { OWN_IMAGES } from '../images/own-images.js';
import { type StackChoices, stackEnvironment } from './stack-environment.js';

const stackText = readFileSync(join(packageRoot, 'swarm', 'stack.yml'), 'utf8');

function environmentFor(choices: Partial<StackChoices>): ReturnType<typeof stackEnvironment> {
  return stackEnvironment({
    packageRoot,
    stack: 'bench',
    stateFolder: tempFolder(),
    gateway: {},
    environment: {},
    ...choices,
  });
}

describe('the environment of the stack', () => {
  test('tokens are created once, readable for their owner only', () => {
    const stateFolder = join(tempFolder(), 'not', 'there', 'yet');
    const first = environmentFor({ stateFolder });
    const file = first.environment.API_TOKEN_FILE ?? '';
    expect(first.apiToken).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(environmentFor({ stateFolder }).apiToken).toBe(first.apiToken);
    expect(readFileSync(first.environment.WORKER_TOKEN_FILE ?? '', 'utf8').trim()).not.toBe(first.apiToken);
  });

  test('the gateway is configured as chosen', () => {
    const { environment } = environmentFor({ gateway: { sticky: 'cookie' } });
    expect(readFileSync(environment.GATEWAY_CONFIG ?? '', 'utf8')).toBe(renderGateway({ sticky: 'cookie' }));
  });

  test("the gateway finds the user's image at its port, and asks for its health only if it has a health check", () => {
    const configFor = (environment: Readonly<Record<string, string>>): string =>
      readFileSync(environmentFor({ environment }).environment.GATEWAY_CONFIG ?? '', 'utf8');
    expect(configFor({ MCP_SERVER_PORT: '8080', MCP_SERVER_HEALTHCHECK: 'NONE' })).toBe(
      renderGateway({ port: 8080, streamPort: 8080, healthPath: undefined }),
    );
    expect(configFor({ MCP_SERVER_PORT: '' })).toBe(renderGateway());
  });

  test('variables that the user has set override ours', () => {
    expect(
      environmentFor({ environment: { GATEWAY_CONFIG: '/mine.cfg', GATEWAY_PORT: '8080' } }).environment,
    ).toMatchObject({ GATEWAY_CONFIG: '/mine.cfg', GATEWAY_PORT: '8080', STACK: 'bench' });
  });
});

describe('the stack file', () => {
  test('takes every image from the environment, our own in the present version by default', () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    const images = new Map(
      [...stackText.matchAll(/image: \$\{(\w+):-([^}]+)\}/g)].map(([, variable = '', image = '']) => [variable, image]),
    );
    expect([...stackText.matchAll(/^\s*image: (?!\$\{)/gm)]).toEqual([]);
    for (const { name, variable } of OWN_IMAGES.filter(({ inStack }) => inStack))
      expect([variable, images.get(variable)]).toEqual([variable, `mcp-swarm-bench/${name}:${version}`]);
  });

  test('names every config and secret by its version', () => {
    const names = [...stackText.matchAll(/^ {4}name: (.*)$/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !/^\$\{STACK:-bench\}_\w+_\$\{CONFIG_VERSION:-1\}$/.test(name ?? ''))).toEqual([]);
  });
});
