/** The secrets in a target's URL are in nothing that a run shows or keeps, whether it passes or fails. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { rightly } from '../servers/behaviours.js';
import { startTestServer } from '../servers/test-server.js';
import { countedScenario, startRun } from '../support/swarmbench.js';
import { onTestEnd } from '../support/test-end.js';

const SECRETS = ['s3cr3t-key', 'p%40ss', 'p@ss', 'lonely-w0rd'];
const scenario = countedScenario({ arrivals: { rate: '20/s' } }, 1);

/** Of a run against this URL: its exit code, everything it printed, and all of its files by name. */
async function leftBy(target: string): Promise<{ readonly code: unknown; readonly texts: Record<string, string> }> {
  const { program, results } = startRun({ scenario, target });
  const code = await program.ended;
  const files = readdirSync(results, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('latest'))
    .map((name) => join(results, name))
    .filter((path) => statSync(path).isFile());
  return {
    code,
    texts: {
      stdout: program.stdout(),
      stderr: program.stderr(),
      ...Object.fromEntries(files.map((path) => [path.slice(results.length), readFileSync(path, 'utf8')])),
    },
  };
}

function leaks(texts: Record<string, string>): readonly string[] {
  return Object.entries(texts).flatMap(([name, text]) =>
    SECRETS.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${name}`),
  );
}

/** Answers everything with a status and the URL that was asked for, as many frameworks do. */
async function startEcho(status: number): Promise<string> {
  const server = createServer((request, response) => {
    const url = `http://${request.headers.host}${request.url}`;
    response
      .writeHead(status, { location: url, 'content-type': 'text/plain' })
      .end(`Cannot ${request.method} ${url}\n${decodeURIComponent(url)}\n${JSON.stringify(request.headers)}`);
  }).listen(0, '127.0.0.1');
  onTestEnd(async () => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

describe('the secrets of a URL', () => {
  test('are in no file and no output of a run that passes', async () => {
    const { url } = await startTestServer({ behaviour: rightly });
    const { code, texts } = await leftBy(`${url}?key=s3cr3t-key&pass=p%40ss`);
    expect(code).toBe(0);
    expect(Object.keys(texts).length).toBeGreaterThan(8);
    expect(leaks(texts)).toEqual([]);
  });

  test.each([404, 302, 401, 500])(
    'are in none when the preflight fails with %i and the URL comes back',
    async (status) => {
      const url = await startEcho(status);
      const [pairs, word] = await Promise.all([
        leftBy(`${url}?key=s3cr3t-key&pass=p%40ss`),
        leftBy(`${url}?lonely-w0rd`),
      ]);
      for (const { code, texts } of [pairs, word]) {
        expect(code).toBe(3);
        expect(Object.keys(texts)).toContain('stderr');
        expect(leaks(texts)).toEqual([]);
      }
      expect(pairs.texts.stderr).toContain('key=***');
    },
  );

  test('are in none when nobody answers', async () => {
    const { code, texts } = await leftBy('http://127.0.0.1:1/mcp?key=s3cr3t-key&pass=p%40ss');
    expect(code).toBe(3);
    expect(leaks(texts)).toEqual([]);
  });
});
