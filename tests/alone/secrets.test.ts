import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { startTestServer } from '../servers/test-server.js';
import { certificateAuthority } from '../support/certificates.js';
import { readRun } from '../support/run-files.js';
import { run, simpleScenario, startRun, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

jest.setTimeout(90_000);

const authority = certificateAuthority();
const server = authority.issue('server');
const client = authority.issue('client');
const tokens = ['first-secret-token', 'second-secret-token', 'third-secret-token'];
/** The middle of the key, which has no line breaks that could hide it. */
const keyText = client.key.split('\n')[1] ?? '';

function secretFiles(): { readonly file: (name: string) => string } {
  const folder = tempFolder();
  const texts = {
    'ca.pem': authority.cert,
    'client.pem': client.cert,
    'client.key': client.key,
    'tokens.txt': tokens.join('\n'),
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  return { file: (name) => join(folder, name) };
}

/** Argument lists of every process of the machine that can be read now. */
function commandLines(): string {
  const readable = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        // It has ended meanwhile, or belongs to another user.
        return '';
      }
    });
  return readable.join('\n');
}

/** Every file below a folder, as text. */
function texts(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')]);
}

describe('a target that wants to know who calls', () => {
  const three = { clients: 3, connections: 1, arrivals: { rate: '10/s' } };

  test('gets certificate and tokens; neither keys nor tokens are in any file, output or argument list', async () => {
    const { file } = secretFiles();
    // Every third call is refused with the caller's own token in the answer, so that there is a sample with it.
    const { url, log } = await startTestServer({
      tls: { ...server, ca: authority.cert },
      behaviour: (call) => {
        const shown = log.calls.at(-1)?.headers.authorization;
        if (call.number % 3 === 0) call.answer(JSON.stringify({ error: shown }), 403);
        else call.answer();
      },
    });
    const scenario = simpleScenario(three, 2, {
      target: {
        server: { url },
        tls: { ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') },
        auth: { tokenFile: file('tokens.txt') },
      },
    });
    const { program, results, file: scenarioFile } = startRun({ scenario });
    await program.wrote(/steady|running|test/);
    let seen = '';
    const watch = setInterval(() => (seen += commandLines()), 200);
    const code = await program.ended;
    clearInterval(watch);
    const { report } = readRun(results);
    expect({ code, output: code === 0 ? '' : program.stderr() }).toEqual({ code: 0, output: '' });
    expect(report.summary.sent).toBe(log.calls.length);
    expect(report.summary.failed).toBe(log.answered.get(403));
    // Each session has one token, and the three clients have one each.
    const bySession = new Map(log.calls.map(({ session, headers }) => [session, headers.authorization]));
    expect([...bySession.values()].sort()).toEqual(tokens.map((token) => `Bearer ${token}`));
    const { stdout: plan } = await swarmbench(['plan', scenarioFile, '--json']);
    expect(seen).toContain('main.js');
    const places = [
      ...texts(results),
      ['plan', plan],
      ['stdout', program.stdout()],
      ['stderr', program.stderr()],
      ['arguments', seen],
    ] as const;
    for (const secret of [...tokens, keyText]) {
      expect(places.filter(([, text]) => text.includes(secret)).map(([name]) => name)).toEqual([]);
    }
    expect(texts(results).some(([name, text]) => name === 'report.json' && text.includes('http_403'))).toBe(true);
  });

  test('is not loaded by one who has no certificate for it, or the wrong token', async () => {
    const { file } = secretFiles();
    const { url, log } = await startTestServer({
      tls: { ...server, ca: authority.cert },
      behaviour: (call) => call.answer(),
    });
    const scenario = writeScenario(simpleScenario(three, 1));
    const args = ['run', scenario, '--target', url, '--tls-ca', file('ca.pem'), '--out', tempFolder(), '-q'];
    const { code, stdout, stderr } = await swarmbench(args);
    expect({ code, words: /certificate required|alert|ECONNRESET|closed/.test(stdout + stderr) }).toEqual({
      code: 3,
      words: true,
    });
    expect(log.calls).toHaveLength(0);
  });
});

describe('a target whose certificate no known authority has signed', () => {
  test('is refused before the load, and loaded with --insecure, which the report says', async () => {
    const { url, log } = await startTestServer({ tls: server, behaviour: (call) => call.answer() });
    const scenario = simpleScenario({ connections: 1, arrivals: { rate: '10/s' } }, 1);
    const refused = await swarmbench(['run', writeScenario(scenario), '--target', url, '--out', tempFolder(), '-q']);
    expect({
      code: refused.code,
      words: /certificate|self-signed/.test(refused.stdout + refused.stderr),
      calls: log.calls.length,
    }).toEqual({ code: 3, words: true, calls: 0 });
    const { report, code } = await run({ scenario, target: url, args: ['--insecure'] });
    expect({ code, notes: report.notes }).toEqual({
      code: 0,
      notes: expect.arrayContaining([expect.stringContaining('not checked (insecure)')]),
    });
    expect(log.calls.length).toBeGreaterThan(5);
  });
});
