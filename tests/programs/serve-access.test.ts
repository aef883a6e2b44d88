/** Who may call a real `swarmbench serve`: at its own address, at those of resumed runs, over TLS, with which token. */
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { rightly } from '../servers/behaviours.js';
import { startTestServer } from '../servers/test-server.js';
import { certificateAuthority } from '../support/certificates.js';
import { type Program, startProgram } from '../support/program.js';
import { readEvents, readRun, runFolder } from '../support/run-files.js';
import { countedScenario, simpleScenario, startRun, swarmbench, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';

function serve(results: string, ...args: readonly string[]): Program {
  return startProgram('harness/cli/main.js', ['serve', '--port', '0', '--out', results, ...args]);
}

async function urlOf(program: Program): Promise<string> {
  const [, url = ''] = await program.wrote(/listens on (\S+),/);
  return url;
}

async function status(url: string, method = 'GET', token?: string): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method, headers: token === undefined ? {} : headers });
  await answer.body?.cancel();
  return answer.status;
}

describe('a controller beyond loopback', () => {
  test('prints a token of each role once, keeps only digests, and a token added or revoked holds at once', async () => {
    const results = join(tempFolder(), 'results');
    const first = serve(results, '--host', '0.0.0.0');
    const url = await urlOf(first);
    const [, viewer = ''] = await first.wrote(/^ {2}viewer +(\S+)$/m);
    const [, operator = ''] = await first.wrote(/^ {2}operator +(\S+)$/m);
    const [, worker = ''] = await first.wrote(/^ {2}worker +(\S+)$/m);
    for (const secret of [viewer, operator, worker])
      expect(readFileSync(join(results, 'api-tokens.json'), 'utf8')).not.toContain(secret);
    expect([
      await status(`${url}/workers/w1`),
      await status(`${url}/workers/w1/assignments`),
      await status(`${url}/runs`, 'GET', viewer),
      await status(`${url}/tokens`, 'GET', viewer),
      await status(`${url}/tokens`, 'GET', operator),
      await status(`${url}/runs`, 'POST', worker),
    ]).toEqual([401, 401, 200, 403, 200, 403]);
    const refused = (await (await fetch(`${url}/runs`)).json()) as { readonly error: { readonly hint: string } };
    expect(refused.error.hint).toContain('swarmbench token add operator');

    const added = await swarmbench(['token', 'add', 'viewer', '--name', 'late', '--out', results]);
    const late = added.stdout.trim();
    expect(await status(`${url}/runs`, 'GET', late)).toBe(200);
    const listed = await swarmbench(['token', 'list', '--json', '--out', results]);
    const { tokens } = JSON.parse(listed.stdout) as { readonly tokens: readonly { id: string; name: string }[] };
    expect(listed.stdout).not.toContain(late);
    const id = tokens.find(({ name }) => name === 'late')?.id ?? '';
    expect((await swarmbench(['token', 'revoke', id, '--out', results])).code).toBe(0);
    expect(await status(`${url}/runs`, 'GET', late)).toBe(401);
    expect((await swarmbench(['token', 'revoke', id, '--out', results])).code).toBe(2);
    first.kill('SIGTERM');
    await first.ended;

    const again = serve(results, '--host', '0.0.0.0');
    const urlAgain = await urlOf(again);
    expect(await status(`${urlAgain}/runs`, 'GET', viewer)).toBe(200);
    expect(again.stdout()).not.toContain('shown only now');
    again.kill('SIGTERM');
    await again.ended;
  });

  test('that resumes a run asks for a token at the old address of the run, too, and its workers return', async () => {
    const { url: target, log } = await startTestServer({ behaviour: rightly });
    const { program, results } = startRun({
      scenario: simpleScenario({ clients: 2, arrivals: { rate: '20/s' } }, 10, { drain: '20s' }),
      target,
    });
    await until('the load', () => log.calls.length > 40);
    program.kill('SIGKILL');
    await program.ended;
    const listening = readEvents(runFolder(results)).find((event) => event.type === 'controller.listening');
    const old = listening?.type === 'controller.listening' ? listening.url : '';
    const controller = serve(results, '--host', '0.0.0.0');
    await controller.wrote(/^resumed /m);
    const asked = [old, await urlOf(controller)].flatMap((url) => [
      status(`${url}/runs`, 'POST'),
      status(`${url}/runs`),
      status(`${url}/workers`, 'POST'),
      status(`${url}/healthz`),
    ]);
    expect(await Promise.all(asked)).toEqual([401, 401, 401, 200, 401, 401, 401, 200]);
    await controller.wrote(/^finished .*$/m, 120_000);
    const { report } = readRun(results);
    expect(report.summary.succeeded).toBe(log.calls.length);
    controller.kill('SIGTERM');
    await controller.ended;
  });
});

describe('a controller with TLS', () => {
  test('serves runs over it; the workers that it starts use loopback; a wrong key is refused in words', async () => {
    const folder = tempFolder();
    const authority = certificateAuthority();
    const { cert, key } = authority.issue('bench');
    const files = Object.fromEntries(
      Object.entries({ ca: authority.cert, cert, key, other: authority.key }).map(([name, text]) => {
        writeFileSync(join(folder, name), text);
        return [name, join(folder, name)];
      }),
    );
    const results = join(folder, 'results');
    const wrong = serve(results, '--tls-cert', files.cert ?? '', '--tls-key', files.other ?? '');
    expect(await wrong.ended).toBe(2);
    expect(wrong.stderr()).toMatch(/cannot speak TLS[^]*TLS_UNUSABLE/);
    const half = serve(results, '--tls-cert', files.cert ?? '');
    expect(await half.ended).toBe(2);
    expect(half.stderr()).toContain('go together');

    const controller = serve(results, '--tls-cert', files.cert ?? '', '--tls-key', files.key ?? '', '--require-token');
    const url = await urlOf(controller);
    expect(url).toMatch(/^https:/);
    const [, operator = ''] = await controller.wrote(/^ {2}operator +(\S+)$/m);
    writeFileSync(join(folder, 'token'), operator);
    const scenario = writeScenario(countedScenario({ arrivals: { rate: '20/s' } }, 2));
    const own = join(folder, 'own');
    const { code, stderr } = await swarmbench([
      ...['run', scenario, '--controller', url, '--controller-ca', files.ca ?? ''],
      ...['--token-file', join(folder, 'token'), '--out', own],
    ]);
    // The verdict is the machine's business: on a busy one the run may be invalid.
    const ended = code === 0 || code === 4;
    expect({ ended, stderr: ended ? '' : stderr }).toEqual({ ended: true, stderr: '' });
    const { offered, succeeded, failed, lost } = readRun(own).report.summary;
    expect({ succeeded, failed, lost }).toEqual({ succeeded: offered, failed: 0, lost: 0 });
    expect(offered).toBeGreaterThan(0);
    // Without the authority nobody is fooled, and without a token nobody gets in.
    expect((await swarmbench(['run', scenario, '--controller', url, '--out', own])).code).toBe(3);
    expect(await overTls(`${url}/runs`, authority.cert)).toBe(401);
    controller.kill('SIGTERM');
    await controller.ended;
  });
});

function overTls(url: string, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { ca }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}
