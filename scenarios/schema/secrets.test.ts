import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { certificateAuthority } from '../../tests/support/certificates.js';
import { type Files, load, minimal, planOf, problemsOf } from '../../tests/support/scenarios/files.js';
import { redactPlan } from './redact.js';

const authority = certificateAuthority();
const client = authority.issue('client');
const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString();
const files: Files = {
  'ca.pem': authority.cert,
  'client.pem': client.cert,
  'client.key': client.key,
  'other.key': authority.issue('other').key,
  'locked.key': locked,
  'junk.pem': 'junk',
  'tokens.txt': '# two of them\nfirst-token\n\nsecond-token\n',
  'empty.txt': '\n# none\n',
  'odd.txt': 'good\nBearer bad\n',
};
const https = 'target: { server: { url: "https://localhost:1/mcp" }, ';
function written(keys: string) {
  return `${minimal}${https}${keys} }\n`;
}

describe('tls', () => {
  test('files of the scenario are read, and those of the command line replace them', () => {
    const own = planOf(written('tls: { ca: ca.pem, cert: client.pem, key: client.key }'), {}, files).target;
    expect(own).toMatchObject({ tls: { ca: authority.cert, cert: client.cert, key: client.key, insecure: false } });
    const over = planOf(
      written('tls: { ca: gone.pem, insecure: true }'),
      { secrets: { ca: 'ca.pem', insecure: false } },
      files,
    );
    expect(over.target).toMatchObject({ tls: { ca: authority.cert, insecure: false } });
    expect(over.warnings).toEqual([]);
  });

  test('files are relative to the scenario, and to the current folder on the command line', () => {
    const there = { 'deep/ca.pem': authority.cert, 'deep/s.yaml': written('tls: { ca: ca.pem }') };
    expect(planOf('', { scenario: 'deep/s.yaml' }, there).target).toMatchObject({ tls: { ca: authority.cert } });
    expect(planOf('', { scenario: 'deep/s.yaml', sets: ['target.tls.ca=deep/ca.pem'] }, there).target).toMatchObject({
      tls: { ca: authority.cert },
    });
  });

  test('an unchecked certificate is a warning of the plan', () => {
    expect(planOf(written('tls: { insecure: true }')).warnings).toEqual([
      expect.stringContaining('not checked (insecure)'),
    ]);
  });

  test.each([
    ['tls: { ca: gone.pem }', 'there is no file gone.pem'],
    ['tls: { ca: junk.pem }', 'junk.pem holds no certificate in PEM form'],
    ['tls: { cert: client.pem }', 'a client certificate and its key belong together'],
    ['tls: { key: client.key }', 'a client certificate and its key belong together'],
    ['tls: { cert: client.pem, key: other.key }', 'other.key is not the key of the certificate in client.pem'],
    ['tls: { cert: client.pem, key: locked.key }', 'the key in locked.key has a passphrase'],
    ['tls: { cert: client.pem, key: junk.pem }', 'junk.pem holds no private key in PEM form'],
  ])('%s', (keys, problem) => {
    expect(problemsOf(written(keys), {}, files)).toContain(problem);
  });

  test('is refused where no url is https', () => {
    const plain = `${minimal}target: { server: { url: "http://localhost:1/" }, tls: { insecure: true } }\n`;
    expect(problemsOf(plain)).toContain('`tls` is for https, and no url of the target is https');
    expect(problemsOf(minimal, { targets: ['http://localhost/'], secrets: { ca: 'ca.pem' } }, files)).toContain(
      '--tls-ca is for https',
    );
    expect(problemsOf(`${minimal}target: { tls: { insecure: true } }\n`)).toContain(
      '`tls` is for a url, not for `reference`',
    );
    expect(problemsOf(minimal, { secrets: { insecure: true } })).toContain('--insecure is for a url');
    expect(planOf(plain, { targets: ['http://localhost/'] }).warnings).toEqual([
      expect.stringContaining('target.tls of the scenario is not used'),
    ]);
  });
});

describe('tokens', () => {
  test('come from a file or a variable, and the command line replaces both', () => {
    const pool = { tokens: ['first-token', 'second-token'] };
    expect(planOf(written('auth: { tokenFile: tokens.txt }'), {}, files).target).toMatchObject(pool);
    expect(planOf(written('auth: { tokenEnv: T }'), { env: { T: 'first-token, second-token' } }).target).toMatchObject(
      pool,
    );
    expect(
      planOf(written('auth: { tokenFile: gone.txt }'), {
        secrets: { tokenEnv: 'T' },
        env: { T: 'first-token second-token' },
      }).target,
    ).toMatchObject(pool);
  });

  test.each([
    ['auth: {}', '`auth` does not say where the tokens are'],
    ['auth: { tokenFile: gone.txt }', 'there is no file gone.txt'],
    ['auth: { tokenFile: empty.txt }', 'empty.txt holds no token'],
    ['auth: { tokenFile: odd.txt }', 'token 2 of odd.txt has characters that a bearer token cannot have'],
    ['auth: { tokenEnv: GONE }', 'the environment variable GONE is not set'],
    ['auth: { tokenFile: tokens.txt, tokenEnv: T }', 'from a file or from the environment, not from both'],
    [
      'auth: { tokenFile: tokens.txt }, headers: { Authorization: x }',
      'the tokens and an `authorization` header exclude each other',
    ],
  ])('%s', (keys, problem) => {
    const found = problemsOf(written(keys), {}, files);
    expect(found).toContain(problem);
    expect(found).not.toContain('Bearer bad');
  });
});

test('the redacted plan has no keys and no tokens', () => {
  const plan = planOf(
    written('tls: { cert: client.pem, key: client.key }, auth: { tokenFile: tokens.txt }'),
    {},
    files,
  );
  const shown = JSON.stringify(redactPlan(plan));
  for (const secret of ['first-token', 'second-token', 'PRIVATE KEY']) expect(shown).not.toContain(secret);
  expect(redactPlan(plan).target).toMatchObject({
    tls: { cert: '***', key: '***', insecure: false },
    tokens: ['***', '***'],
  });
});

describe('a plan from a request', () => {
  test('reads no files and no variables of this machine', () => {
    const result = load(
      written('tls: { ca: ca.pem }, auth: { tokenFile: tokens.txt }'),
      { sentSecrets: {}, env: { T: 't' } },
      files,
    );
    expect(result.ok ? [] : result.problems.map(({ path, code }) => [path, code])).toEqual([
      ['target.tls.ca', 'CONFLICT'],
      ['target.auth.tokenFile', 'CONFLICT'],
    ]);
  });

  test('uses the contents that were sent instead', () => {
    const sentSecrets = { tls: { ca: authority.cert, insecure: false }, tokens: ['t'] };
    expect(
      planOf(written('tls: { ca: ca.pem }, auth: { tokenFile: tokens.txt }'), { sentSecrets }).target,
    ).toMatchObject(sentSecrets);
  });
});
