/** Workers that wait to be asked and are named on the command line: their clients, tokens, TLS, and what they count. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { certificateAuthority } from '../support/certificates.js';
import { type Program, startProgram } from '../support/program.js';
import { eventsOf, readRun } from '../support/run-files.js';
import { countedScenario, startRun, swarmbench } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';

jest.setTimeout(180_000);

const TOKEN = 'a-token-that-is-long-enough-0123456789';
const folder = tempFolder();
const authority = certificateAuthority();

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const tokenFile = fileOf('token', TOKEN);

async function listeningWorker(more: readonly string[] = []): Promise<{ program: Program; url: string }> {
  const args = ['--listen', '127.0.0.1:0', '--token-file', tokenFile, '--threads', '1', ...more];
  const program = startProgram('client-sim/main.js', args);
  const [, url = ''] = await program.wrote(/listening on (\S+)/);
  return { program, url };
}

interface Stats {
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly messageSendErrors: number;
}

/** Over HTTP. */
async function statsOf(url: string): Promise<Stats> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await (await fetch(new URL('/counters-stats', url), { headers })).json()) as Stats;
}

test('named workers make the load, one run after the other', async () => {
  const { cert, key } = authority.issue('worker');
  const tls = ['--tls-cert', fileOf('worker.pem', cert), '--tls-key', fileOf('worker.key', key)];
  const [first, second] = await Promise.all([listeningWorker(), listeningWorker(tls)]);
  expect(second.url).toMatch(/^https:/);
  const workers = fileOf('workers.yaml', `workers:\n  - ${first.url}\n  - ${second.url}\n`);
  const reached = ['--workers-token-file', tokenFile, '--workers-ca', fileOf('ca.pem', authority.cert)];
  const target = { server: 'reference' };

  const started = startRun({
    scenario: countedScenario({ clients: 5, arrivals: { rate: '10/s' } }, 2, { target }),
    args: ['--workers-file', workers, ...reached, '--quiet'],
  });
  await first.program.wrote(/has attached itself/);
  const attachment = { protocol: 1, runId: 'other', controllerUrl: 'http://c', workerToken: 't', slot: 1 };
  const asked = await fetch(new URL('/attachments', first.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(attachment),
  });
  expect([asked.status, await asked.json()]).toEqual([
    409,
    { error: expect.objectContaining({ code: 'WORKER_BUSY', message: expect.stringMatching(/works for run .*test/) }) },
  ]);
  await started.program.ended;
  const { report, events, telemetry } = readRun(started.results);
  expect(report.summary).toMatchObject({ offered: 50, succeeded: 50, failed: 0 });
  const [begun] = eventsOf(events, 'run.started');
  const dealt = begun?.assignments.map(({ slots }) => slots.reduce((sum, { count }) => sum + count, 0));
  expect(dealt).toEqual([3, 2]);
  // In the order in which they are named.
  const slots = eventsOf(events, 'worker.registered').map(({ worker }) => worker.slot);
  expect(slots).toEqual([1, 2]);
  const [own] = begun?.assignments ?? [];
  const mine = telemetry.filter(({ workerId }) => workerId === own?.workerId).flatMap(({ batch }) => batch.sessions);
  const sum = (of: 'messagesSent' | 'messagesReceived'): number => mine.reduce((total, row) => total + row[of], 0);
  expect(await statsOf(first.url)).toEqual({
    messagesSent: sum('messagesSent'),
    messagesReceived: sum('messagesReceived'),
    messageSendErrors: 0,
  });
  expect(sum('messagesSent')).toBeGreaterThanOrEqual(30);

  // The same workers once more: now the second subscribes alone.
  const again = startRun({
    scenario: {
      name: 'again',
      target,
      workload: {
        publisher: {
          clients: 2,
          arrivals: { rate: '2/s' },
          operations: [{ tool: 'publish', arguments: { topic: 't', message: 'hi', stamp: '{{ stamp }}' } }],
        },
        subscriber: { clients: 3, operations: [{ subscribe: 'bench://topic/t' }] },
      },
      stages: [{ name: 'steady', duration: '1s' }],
      drain: '10s',
    },
    args: ['--workers', `${first.url},${second.url}`, ...reached, '--extra-consumers', '--quiet'],
  });
  await again.program.ended;
  const [divided] = eventsOf(readRun(again.results).events, 'run.started');
  expect(divided?.assignments.map(({ slots: sets }) => sets.map(({ profile, count }) => [profile, count]))).toEqual([
    [[0, 2]],
    [[1, 3]],
  ]);

  const wrong = fileOf('wrong', 'another-token-that-is-long-enough');
  const { code, stdout, stderr } = await swarmbench([
    ...['run', 'smoke', '-q', '--out', tempFolder(), '--workers-token-file', wrong],
    ...['--workers', `${first.url},http://127.0.0.1:1`],
  ]);
  expect(code).toBe(4);
  expect(stdout + stderr).toContain(`${first.url}: that is not the token of this worker`);
  expect(stdout + stderr).toContain('http://127.0.0.1:1: connect ECONNREFUSED');
  first.program.kill('SIGTERM');
  expect(await first.program.ended).toBe(0);
});
