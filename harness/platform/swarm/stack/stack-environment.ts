/** The environment of `swarm/stack.yml`: images, tokens, the configuration of the gateway, ports and limits. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type GatewayOptions, renderGateway } from '../../../../swarm/gateway/render-gateway.js';

export interface StackChoices {
  readonly packageRoot: string;
  /** Name of the stack. */
  readonly stack: string;
  /** Folder that keeps tokens and rendered files between deployments; created if missing. */
  readonly stateFolder: string;
  readonly gateway: Partial<GatewayOptions>;
  /** Names of images and what the user has set (`GATEWAY_PORT` ...); these override what is made here. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface StackEnvironment {
  /** Absolute. */
  readonly stackFile: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly apiToken: string;
}

/** `swarmbench up` and `docker stack deploy` alike deploy `stackFile` in this environment. */
export function stackEnvironment({
  packageRoot,
  stack,
  stateFolder,
  gateway,
  environment: given,
}: StackChoices): StackEnvironment {
  const stackFile = join(packageRoot, 'swarm', 'stack.yml');
  const folder = resolve(stateFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const gatewayConfig = join(folder, 'haproxy.cfg');
  writeFileSync(gatewayConfig, renderGateway({ ...gatewayOf(given), ...gateway }));
  const environment = {
    STACK: stack,
    GATEWAY_CONFIG: gatewayConfig,
    API_TOKEN_FILE: tokenFile(join(folder, 'api-token')),
    VIEWER_TOKEN_FILE: tokenFile(join(folder, 'viewer-token')),
    WORKER_TOKEN_FILE: tokenFile(join(folder, 'worker-token')),
    ...given,
  };
  return {
    stackFile,
    environment,
    apiToken: readFileSync(environment.API_TOKEN_FILE, 'utf8').trim(),
  };
}

/**
 * An image of the user's (`MCP_SERVER_*` in the stack file) listens on its own port, and is asked for its health only
 * if it has a health check.
 */
function gatewayOf(given: StackChoices['environment']): Partial<GatewayOptions> {
  const port = /^[1-9]\d{0,4}$/.exec(given.MCP_SERVER_PORT ?? '')?.[0];
  return {
    ...(port === undefined ? {} : { port: Number(port), streamPort: Number(port) }),
    ...(given.MCP_SERVER_HEALTHCHECK === 'NONE' ? { healthPath: undefined } : {}),
  };
}

/** Readable for its owner only; created if missing. */
function tokenFile(path: string): string {
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  return path;
}
