/** Credentials for registries, found as the Docker CLI finds those that `docker login` has left. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { registryOf } from '../compose/convert/image.js';
import { ImageError } from './image-error.js';

/** `X-Registry-Auth` for an image, as with `docker stack deploy --with-registry-auth`; undefined: none is sent. */
export type RegistryAuth = (reference: string) => Promise<string | undefined>;

export const noRegistryAuth: RegistryAuth = () => Promise.resolve(undefined);

/** The name under which `docker login` keeps credentials for Docker's own registry (docker/cli, `authConfigKey`). */
const DOCKER_HUB = 'https://index.docker.io/v1/';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Each registry is looked up once. For a registry without a login the credentials are empty, as with the Docker CLI:
 * the service then no longer uses those that it was given before.
 * @param env DOCKER_CONFIG or HOME, and PATH for the helpers
 * @throws ImageError CREDENTIALS_UNREADABLE, from the returned function
 */
export function registryAuthOf(env: Environment): RegistryAuth {
  const known = new Map<string, Promise<string>>();
  return (reference) => {
    if (reference === '') return Promise.resolve(undefined);
    const host = registryOf(reference) || DOCKER_HUB;
    const asked = known.get(host) ?? lookUp(host, env);
    known.set(host, asked);
    return asked;
  };
}

async function lookUp(host: string, env: Environment): Promise<string> {
  const found = await lookUpCredentials(host, env);
  switch (found.kind) {
    case 'credentials':
      return encoded(found.credentials);
    case 'none':
      return encoded({});
    case 'unreadable':
      throw new ImageError(
        'CREDENTIALS_UNREADABLE',
        `cannot read the credentials for ${host}: ${found.reason}`,
        `docker login ${host === DOCKER_HUB ? '' : host}`.trim(),
      );
  }
}

/** Base64 for URLs (docs.docker.com, Engine API, "Authentication"). */
function encoded(credentials: Partial<Credentials>): string {
  return Buffer.from(JSON.stringify(credentials)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** As the engine takes them (docs.docker.com, Engine API, "Authentication"). */
export type Credentials =
  | { readonly username: string; readonly password: string; readonly serveraddress: string }
  | { readonly identitytoken: string; readonly username?: string; readonly serveraddress: string };

type FoundCredentials =
  | { readonly kind: 'credentials'; readonly credentials: Credentials }
  /** Private registries often need none. */
  | { readonly kind: 'none' }
  /** There may be some: the file is not JSON, or the helper is missing or fails. */
  | { readonly kind: 'unreadable'; readonly reason: string };

const config = z.looseObject({
  auths: z
    .record(z.string(), z.looseObject({ auth: z.string().optional(), identitytoken: z.string().optional() }))
    .default({}),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).default({}),
});

const stored = z.looseObject({ Username: z.string(), Secret: z.string() });

const NONE: FoundCredentials = { kind: 'none' };
/** The name under which helpers keep an identity token (docker/cli, `tokenUsername`). */
const TOKEN_USER = '<token>';
/** A helper's output when it has none (docker/docker-credential-helpers, `errCredentialsNotFoundMessage`). */
const NOT_FOUND = 'credentials not found in native keychain';
const ASK_MS = 20_000;

/** For a push; undefined when there are none. @param registry may have a path */
export async function registryCredentials(registry: string, env: Environment): Promise<Credentials | undefined> {
  const found = await lookUpCredentials(registry.split('/')[0] ?? registry, env);
  return found.kind === 'credentials' ? found.credentials : undefined;
}

/**
 * @param server `HOST[:PORT]`, or the URL for Docker's own registry
 * @param env DOCKER_CONFIG or HOME for the configuration, PATH for the helpers
 */
async function lookUpCredentials(server: string, env: Environment): Promise<FoundCredentials> {
  const file = join(env.DOCKER_CONFIG ?? join(env.HOME ?? '/', '.docker'), 'config.json');
  const parsed = config.safeParse(parseJson(textOf(file) ?? '{}'));
  if (!parsed.success)
    return {
      kind: 'unreadable',
      reason: `${file} is not a configuration of the Docker CLI: ${z.prettifyError(parsed.error)}`,
    };
  const { auths, credsStore, credHelpers } = parsed.data;
  const helper = credHelpers[server] ?? credsStore;
  if (helper !== undefined && helper !== '') return await askHelper(helper, server, env);
  // Old versions of the Docker CLI wrote URLs.
  const [address, kept] =
    Object.entries(auths).find(([name]) => name === server) ??
    Object.entries(auths).find(([name]) => hostOf(name) === server) ??
    [];
  return address === undefined ? NONE : decoded(kept?.auth, kept?.identitytoken, address);
}

/** Base64 of `user:password`, as in a Basic authorization. */
function decoded(auth: string | undefined, identitytoken: string | undefined, serveraddress: string): FoundCredentials {
  const [, username, password] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? [];
  if (identitytoken !== undefined && identitytoken !== '')
    return {
      kind: 'credentials',
      credentials: { ...(username === undefined ? {} : { username }), identitytoken, serveraddress },
    };
  return username === undefined || password === undefined
    ? NONE
    : { kind: 'credentials', credentials: { username, password, serveraddress } };
}

function hostOf(address: string): string {
  return (address.includes('://') && URL.canParse(address) ? new URL(address).host : address).split('/')[0] ?? address;
}

/**
 * Protocol of docker/docker-credential-helpers: the server on stdin, JSON on stdout. A helper that has no credentials
 * fails, with the reason on stdout.
 */
function askHelper(helper: string, server: string, env: Environment): Promise<FoundCredentials> {
  const program = `docker-credential-${helper}`;
  return new Promise((resolve) => {
    const child = execFile(program, ['get'], { env, timeout: ASK_MS }, (error, stdout, stderr) => {
      if (error !== null) {
        const reason = stdout.trim() || stderr.trim() || error.message;
        return resolve(reason === NOT_FOUND ? NONE : { kind: 'unreadable', reason: `${program}: ${reason}` });
      }
      const found = stored.safeParse(parseJson(stdout));
      if (!found.success) return resolve({ kind: 'unreadable', reason: `${program} did not answer with credentials` });
      const { Username, Secret } = found.data;
      const credentials =
        Username === TOKEN_USER
          ? { identitytoken: Secret, serveraddress: server }
          : { username: Username, password: Secret, serveraddress: server };
      resolve({ kind: 'credentials', credentials });
    });
    child.stdin?.on('error', () => undefined).end(server);
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
