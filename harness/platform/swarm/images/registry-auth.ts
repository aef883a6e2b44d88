/** What nodes show to the registry of an image, as `docker stack deploy --with-registry-auth` sends it. */
import { registryOf } from '../compose/convert/image.js';
import { ImageError } from './image-error.js';
import { type Credentials, lookUpCredentials } from './registry-credentials.js';

/** `X-Registry-Auth` for an image; undefined: none is sent. */
export type RegistryAuth = (reference: string) => Promise<string | undefined>;

export const noRegistryAuth: RegistryAuth = () => Promise.resolve(undefined);

/** Under this name `docker login` keeps what Docker's own registry asks for (docker/cli, `authConfigKey`). */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/**
 * From what `docker login` has left; each registry is looked up once. An image whose registry nobody logged in to is
 * sent empty credentials, as the Docker CLI does it: the service then no longer uses what it was given before.
 *
 * @param env DOCKER_CONFIG or HOME, and PATH for the helpers
 * @throws ImageError CREDENTIALS_UNREADABLE, from the function that is returned
 */
export function registryAuthOf(env: Readonly<Record<string, string | undefined>>): RegistryAuth {
  const known = new Map<string, Promise<string>>();
  return (reference) => {
    if (reference === '') return Promise.resolve(undefined);
    const host = registryOf(reference) || DOCKER_HUB;
    const asked = known.get(host) ?? lookUp(host, env);
    known.set(host, asked);
    return asked;
  };
}

async function lookUp(host: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const found = await lookUpCredentials(host, env);
  switch (found.kind) {
    case 'credentials':
      return encoded(found.credentials);
    case 'none':
      return encoded({});
    case 'unreadable':
      throw new ImageError(
        'CREDENTIALS_UNREADABLE',
        `credentials for ${host}: ${found.words}`,
        `docker login ${host === DOCKER_HUB ? '' : host}`.trim(),
      );
  }
}

/** Base64 for URLs (docs.docker.com, Engine API, "Authentication"). */
function encoded(credentials: Partial<Credentials>): string {
  return Buffer.from(JSON.stringify(credentials)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
