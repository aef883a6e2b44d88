/**
 * The engine that the tests run on: the user's own, when it is a Swarm manager. Without one the tests are skipped and
 * say why; where CI is set they fail instead, since `tools/engine-up.sh` has to have run.
 */
import { request } from 'node:http';
import { engineAddress } from '../../../harness/platform/swarm/engine/address.js';
import { connectEngine } from '../../../harness/platform/swarm/engine/engine.js';
import { describeWith } from '../needs.js';
import { docker as cli } from './docker-cli.js';

export const engine = connectEngine(process.env);

const CLI_MAJOR = '28';

/** @param needs `cli`: also a Docker CLI of the version that the conversion follows */
export async function describeOnSwarm(name: string, needs: 'engine' | 'cli', body: () => void): Promise<void> {
  const missing = (await missingEngine()) ?? (needs === 'cli' ? await missingCli() : undefined);
  describeWith(missing, name, body);
}

/** Undefined when there is one. */
export async function missingEngine(): Promise<string | undefined> {
  try {
    const info = (await getJson('/info')) as { readonly Swarm?: { readonly ControlAvailable?: boolean } };
    return info.Swarm?.ControlAvailable === true
      ? undefined
      : 'the Docker engine is no Swarm manager: docker swarm init';
  } catch (error) {
    return `no Docker engine answers (${error instanceof Error ? error.message : String(error)})`;
  }
}

async function missingCli(): Promise<string | undefined> {
  const { code, stdout } = await cli(['version', '--format', '{{.Client.Version}}']).catch(() => ({
    code: 1,
    stdout: '',
  }));
  if (code !== 0) return 'there is no Docker CLI';
  return stdout.startsWith(`${CLI_MAJOR}.`)
    ? undefined
    : `the Docker CLI is ${stdout.trim()}, and the conversion follows ${CLI_MAJOR}`;
}

/** Where that engine is, for `node:http`. */
export function engineSocket(): { readonly socketPath: string } | { readonly host: string; readonly port: number } {
  const { socketPath, host, port } = engineAddress(process.env).options;
  return typeof socketPath === 'string' ? { socketPath } : { host: host ?? '127.0.0.1', port: Number(port) };
}

/** What the engine answers, untouched by any adapter. */
export async function getJson(path: string): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const outgoing = request({ ...engineSocket(), path }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`GET ${path}: ${response.statusCode} ${body}`));
      });
    });
    outgoing.on('error', reject).end();
  });
  return JSON.parse(text);
}
