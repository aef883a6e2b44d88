import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { EngineError } from './engine-error.js';

interface EngineAddress {
  /** As people write it: `unix:///var/run/docker.sock`. */
  readonly text: string;
  /** Complete, because dockerode would take what is missing from the environment of the process. */
  readonly options: Docker.DockerOptions;
}

export type DockerEnvironment = Readonly<Record<string, string | undefined>>;

const SYSTEM_SOCKET = '/var/run/docker.sock';

/**
 * The address of the engine, from the variables of the Docker CLI: DOCKER_HOST (`unix://`, `tcp://`, `ssh://`),
 * DOCKER_TLS_VERIFY and DOCKER_CERT_PATH. The default is the user's socket (Docker Desktop), or the system's.
 * @throws EngineError ENGINE_UNREACHABLE when DOCKER_HOST is not an address
 */
export function engineAddress(env: DockerEnvironment): EngineAddress {
  const host = env.DOCKER_HOST ?? '';
  if (host === '') return socket(defaultSocket(env));
  if (host.startsWith('unix://')) return socket(host.slice('unix://'.length) || defaultSocket(env));
  const text = host.includes('//') ? host : `tcp://${host}`;
  if (!URL.canParse(text)) throw noAddress(host);
  const { protocol, hostname, port, username } = new URL(text);
  if (hostname === '') throw noAddress(host);
  if (protocol === 'ssh:') {
    const sshOptions = env.SSH_AUTH_SOCK === undefined ? {} : { agent: env.SSH_AUTH_SOCK };
    return { text, options: { protocol: 'ssh', host: hostname, port: port || 22, username, sshOptions } };
  }
  if (protocol !== 'tcp:' && protocol !== 'http:' && protocol !== 'https:') throw noAddress(host);
  const tls = (env.DOCKER_TLS_VERIFY ?? '') !== '' || protocol === 'https:';
  return {
    text,
    options: {
      protocol: tls ? 'https' : 'http',
      host: hostname,
      port: port || (tls ? 2376 : 2375),
      ...certificates(env, tls),
    },
  };
}

// `host: undefined` is needed: dockerode would take DOCKER_HOST of the process, and a host wins over a socket.
function socket(path: string): EngineAddress {
  return { text: `unix://${path}`, options: { socketPath: path, host: undefined, protocol: 'http' } };
}

function defaultSocket(env: DockerEnvironment): string {
  const own = join(env.HOME ?? '/', '.docker', 'run', 'docker.sock');
  return existsSync(own) ? own : SYSTEM_SOCKET;
}

function certificates(env: DockerEnvironment, tls: boolean): Pick<Docker.DockerOptions, 'ca' | 'cert' | 'key'> {
  const folder = env.DOCKER_CERT_PATH ?? '';
  if (!tls || folder === '') return {};
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}

function noAddress(host: string): EngineError {
  return new EngineError(
    'ENGINE_UNREACHABLE',
    `DOCKER_HOST is "${host}", which is not the address of an engine`,
    'write it like unix:///var/run/docker.sock, tcp://10.0.0.5:2376 or ssh://user@host',
  );
}
