/**
 * What nodes are given for registries is what `docker stack deploy --with-registry-auth` gives them: for every way in
 * which `docker login` keeps it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectEngine } from '../../harness/platform/swarm/engine/engine.js';
import {
  noRegistryAuth,
  type RegistryAuth,
  registryAuthOf,
} from '../../harness/platform/swarm/images/registry-auth.js';
import { deployStack } from '../../harness/platform/swarm/stack/deploy-stack.js';
import { StackError } from '../../harness/platform/swarm/stack/stack-error.js';
import { docker as cli } from '../support/swarm/docker-cli.js';
import { removeStack } from '../support/swarm/stacks.js';
import { describeOnSwarm, engineSocket } from '../support/swarm/swarm.js';
import { tempFolder } from '../support/temp-folder.js';
import { onTestEnd } from '../support/test-end.js';
import { type RecordedAuth, type RecordingProxy, startRecordingProxy } from './support/recording-proxy.js';
import { box, compose, composeFile, stackOf } from './support/small-stack.js';

const STACK = 'swarmbench-registry-auth';
const nowhere = { placement: { constraints: ['node.labels.swarmbench-nowhere == yes'] } };

const content = compose(
  Object.fromEntries(
    Object.entries({
      plain: 'plain.example:5000/team/app:1',
      token: 'token.example/app:1',
      url: 'url.example/app:1',
      asked: 'asked.example/app:1',
      'asked-token': 'asked-token.example/app:1',
      nothing: 'nothing.example/app:1',
      stranger: 'stranger.example/app:1',
      hub: 'team/app:1',
      local: 'app:1',
    }).map(([name, image]) => [name, box({ image }, nowhere)]),
  ),
);

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

const config = {
  auths: {
    'plain.example:5000': { auth: base64('ada:se:cret?>~') },
    'token.example': { auth: base64('tom:'), identitytoken: 'an identity' },
    'https://url.example/v1/': { auth: base64('old:format') },
    'https://index.docker.io/v1/': { auth: base64('hubert:hub') },
    'asked.example': {},
  },
  credHelpers: { 'asked.example': 'safe', 'asked-token.example': 'token', 'nothing.example': 'empty' },
};

const helpers = {
  safe: `read -r host; printf '{"ServerURL":"%s","Username":"grace","Secret":"of %s"}' "$host" "$host"`,
  token: `cat >/dev/null; printf '{"ServerURL":"x","Username":"<token>","Secret":"a token"}'`,
  empty: 'cat >/dev/null; echo credentials not found in native keychain; exit 1',
};

await describeOnSwarm('registry credentials', 'cli', () => {
  let proxy: RecordingProxy;

  beforeAll(async () => {
    proxy = await startRecordingProxy(engineSocket());
    await removeStack(STACK);
  }, 240_000);
  afterAll(async () => {
    await removeStack(STACK);
    await proxy.close();
  }, 240_000);

  test('are those that the Docker CLI sends, when services are made and when they are changed', async () => {
    const env = home();
    const theirs = [await deployWithCli(env), await deployWithCli(env)].flat();
    await removeStack(STACK);
    const ours = [await deployOurselves(registryAuthOf(env)), await deployOurselves(registryAuthOf(env))].flat();

    expect(theirs.map(({ did }) => did)).toEqual(
      Object.keys(content.services as object)
        .map(() => 'create')
        .concat(Object.keys(content.services as object).map(() => 'update')),
    );
    expect(ours.map(essence)).toEqual(theirs.map(essence));
    expect(ours.find(({ service, did }) => did === 'update' && service.endsWith('_plain'))?.auth).toMatchObject({
      username: 'ada',
      password: 'se:cret?>~',
    });
  }, 120_000);

  test('are not sent unless they are asked for', async () => {
    await removeStack(STACK);
    expect(new Set((await deployOurselves(noRegistryAuth)).map(({ auth }) => auth))).toEqual(new Set([undefined]));
  }, 240_000);

  async function deployWithCli(env: Readonly<Record<string, string>>): Promise<readonly RecordedAuth[]> {
    const file = composeFile(tempFolder(), content);
    const { code, stderr } = await cli(
      ['stack', 'deploy', '--detach', '--resolve-image', 'never', '--with-registry-auth', '-c', file, STACK],
      { ...env, DOCKER_HOST: proxy.host },
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return proxy.takeAuths();
  }

  async function deployOurselves(registryAuth: RegistryAuth): Promise<readonly RecordedAuth[]> {
    const made = new AbortController();
    onTestEnd(() => made.abort());
    const options = { contentNames: false, prune: false, pinImages: false, timeoutMs: 10_000, registryAuth };
    const progress = ({ kind }: { readonly kind: string }): void => (kind === 'services' ? made.abort() : undefined);
    await deployStack(
      connectEngine({ DOCKER_HOST: proxy.host }),
      stackOf(STACK, content),
      options,
      progress,
      made.signal,
    ).catch((error: unknown) => {
      if (!(error instanceof StackError && error.code === 'INTERRUPTED')) throw error;
    });
    return proxy.takeAuths();
  }
});

test('a missing credential helper is reported before anything is sent', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ credsStore: 'not-installed' }));
  await expect(
    registryAuthOf({ DOCKER_CONFIG: folder, PATH: process.env.PATH })('r.example/app:1'),
  ).rejects.toMatchObject({
    code: 'CREDENTIALS_UNREADABLE',
    message: expect.stringMatching(/r\.example: docker-credential-not-installed: .*ENOENT/),
    hint: 'docker login r.example',
  });
});

/** Only what says something: the CLI leaves out what is empty, and keeps what an old file says beside it. */
function essence({ service, did, auth }: RecordedAuth): unknown {
  return {
    service,
    did,
    auth: Object.fromEntries(
      Object.entries((auth ?? {}) as Record<string, string>)
        .filter(([, value]) => value !== '')
        .sort(),
    ),
  };
}

function home(): Readonly<Record<string, string>> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  for (const [name, script] of Object.entries(helpers))
    writeFileSync(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH ?? ''}` };
}
