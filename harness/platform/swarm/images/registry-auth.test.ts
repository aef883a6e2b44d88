import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { tempFolder } from '../../../../tests/support/temp-folder.js';
import { registryCredentials } from './registry-auth.js';

const ada = { auth: Buffer.from('ada:se:cret').toString('base64') };

/** A home folder with this configuration, and a real helper program in PATH where there is one. */
function home(
  config: object,
  helper?: { readonly name: string; readonly script: string },
): Readonly<Record<string, string | undefined>> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  if (helper !== undefined)
    writeFileSync(join(folder, `docker-credential-${helper.name}`), `#!/bin/sh\n${helper.script}\n`, { mode: 0o755 });
  return { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH ?? ''}` };
}

describe("a registry's credentials", () => {
  test('are those that `docker login` has left', async () => {
    const env = home({ auths: { 'r.example:5000': ada } });
    expect(await registryCredentials('r.example:5000/team', env)).toEqual({
      username: 'ada',
      password: 'se:cret',
      serveraddress: 'r.example:5000',
    });
    expect(await registryCredentials('other.example', env)).toBeUndefined();
  });

  test('come from the helper that keeps them', async () => {
    const safe = {
      name: 'safe',
      script: `read -r host; printf '{"ServerURL":"%s","Username":"grace","Secret":"of %s"}' "$host" "$host"`,
    };
    expect(
      await registryCredentials('r.example', home({ credsStore: 'safe', auths: { 'r.example': {} } }, safe)),
    ).toMatchObject({ username: 'grace', password: 'of r.example' });
    expect(
      await registryCredentials('r.example', home({ credHelpers: { 'other.example': 'safe' } }, safe)),
    ).toBeUndefined();
  });

  test('are undefined where the helper has none or is missing', async () => {
    const empty = { name: 'empty', script: 'echo credentials not found; exit 1' };
    expect(await registryCredentials('r.example', home({ credsStore: 'empty' }, empty))).toBeUndefined();
    expect(await registryCredentials('r.example', home({ credsStore: 'not-installed' }))).toBeUndefined();
  });

  test('are undefined without any login', async () => {
    expect(await registryCredentials('r.example', { HOME: tempFolder() })).toBeUndefined();
  });
});
