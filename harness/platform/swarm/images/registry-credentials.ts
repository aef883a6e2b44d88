/** What `docker login` has left for a registry, as the Docker CLI would send it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const config = z.looseObject({
  auths: z.record(z.string(), z.looseObject({ auth: z.string().optional() })).default({}),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).default({}),
});

const stored = z.looseObject({ Username: z.string(), Secret: z.string() });

/**
 * Undefined: none; many registries of one's own take pushes without.
 * @param env DOCKER_CONFIG or HOME tell where they are, PATH where the helpers are that keep them
 */
export async function registryCredentials(registry: string, env: Environment): Promise<Credentials | undefined> {
  const host = registry.split('/')[0] ?? registry;
  const folder = env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? '/', '.docker');
  const { auths, credsStore, credHelpers } = config.parse(JSON.parse(textOf(join(folder, 'config.json')) ?? '{}'));
  const helper = credHelpers[host] ?? credsStore;
  const kept = helper === undefined ? undefined : await askHelper(helper, host, env);
  return kept ?? decoded(auths[host]?.auth, host);
}

/** Base64 of `user:password`, as in a Basic authorization. */
function decoded(auth: string | undefined, serveraddress: string): Credentials | undefined {
  const [, username, password] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? [];
  return username === undefined || password === undefined ? undefined : { username, password, serveraddress };
}

/** Protocol of docker/docker-credential-helpers: the host on stdin, JSON on stdout, failure when it has nothing. */
function askHelper(helper: string, host: string, env: Environment): Promise<Credentials | undefined> {
  return new Promise((resolve) => {
    const child = execFile(`docker-credential-${helper}`, ['get'], { env }, (error, stdout) => {
      const found = error === null ? stored.safeParse(parseJson(stdout)) : undefined;
      resolve(found?.success === true ? { username: found.data.Username, password: found.data.Secret, serveraddress: host } : undefined);
    });
    child.stdin?.on('error', () => undefined).end(host);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
