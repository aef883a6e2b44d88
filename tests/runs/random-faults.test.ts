/**
 * Random faults of our own parts, drawn from a seed: a signal to a worker, the command line or the target, a full disk,
 * a damaged log. Whatever happens, the counts of the report agree with the server's as far as it says that they do, no
 * process is left, and a report is rendered. 200 faults by hand, some ten minutes:
 *
 *     SWARMBENCH_FAULTS=200 npm test -- tests/runs/random-faults
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { RunEvent } from '../../harness/log/events.js';
import { writeReport } from '../../harness/report/write-report.js';
import { codeOf } from '../../harness/support/error-message.js';
import { rightly } from '../servers/behaviours.js';
import { type ServerLog, startTestServer } from '../servers/test-server.js';
import { damagedText, fuzzSeed, pick, type Random, randomFrom } from '../support/damage.js';
import { missingLinux, testWith } from '../support/needs.js';
import { buildRoot } from '../support/package-root.js';
import { isAlive, type Program, startCommand, startProgram } from '../support/program.js';
import { eventsOf, type RunFiles, readEvents, readRun, runFolder, totalOf } from '../support/run-files.js';
import { countedScenario, startRun, writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';

const SECONDS = 5;
const CLIENTS = 4;
const WORKERS = 2;
/** Every client has the same rate while the load is on. */
const RATE = 20;
const scenario = countedScenario({ clients: CLIENTS, arrivals: { rate: `${RATE}/s` } }, SECONDS, {
  onWorkerLoss: 'continue',
  drain: '10s',
});

/** By hand as many as asked for; in CI what fits into about a minute. */
const FAULTS = Number(process.env.SWARMBENCH_FAULTS ?? 0);
const CI_MS = 45_000;
const AT_ONCE = 2;

const faults: Readonly<Record<string, (random: Random) => Promise<void>>> = {
  'a signal to a worker': signalledWorker,
  'a signal to the command line': signalledCommandLine,
  'a command line that is killed': killedCommandLine,
  'a signal to the target': signalledTarget,
  'a full disk': fullDisk,
  'a damaged log': damagedLog,
};

testWith(
  missingLinux,
  'random faults of our own parts leave no process, a report, and counts that agree with those of the server',
  async () => {
    const kinds = Object.keys(faults);
    const until = performance.now() + CI_MS;
    let next = 0;
    const shown: string[] = [];
    const lane = async (): Promise<void> => {
      while (FAULTS > 0 ? next < FAULTS : next < kinds.length || performance.now() < until) {
        const number = next;
        next += 1;
        const seed = fuzzSeed + number;
        // Each kind in turn, so that a short test has all of them, too.
        const kind = kinds[number % kinds.length] ?? '';
        try {
          await faults[kind]?.(randomFrom(seed));
        } catch (error) {
          shown.push(`${kind}, SWARMBENCH_FUZZ_SEED=${seed - (number % kinds.length)}: ${String(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    expect(next).toBeGreaterThanOrEqual(FAULTS > 0 ? FAULTS : kinds.length);
    expect(shown).toEqual([]);
  },
  3_600_000,
);

/** Up to a signal that ends the wait, so that it falls anywhere in the life of a run. */
async function anyMoment(random: Random, results: string): Promise<void> {
  await until('the log', () => liveEvents(results).length > 0);
  await sleep(random() * (SECONDS + 1) * 1000);
}

function liveEvents(results: string): readonly RunEvent[] {
  try {
    return readEvents(runFolder(results));
  } catch {
    return [];
  }
}

async function signalledWorker(random: Random): Promise<void> {
  const { url, log } = await startTestServer({ behaviour: rightly });
  const { program, results } = startRun({ scenario, target: url, args: ['--workers', String(WORKERS)] });
  await until('the load', () => log.calls.length > 0);
  const victim = pick(random, eventsOf(liveEvents(results), 'worker.registered'));
  await sleep((random() * SECONDS * 1000) / 2);
  const signal = pick(random, ['SIGKILL', 'SIGTERM', 'SIGHUP', 'SIGSTOP'] as const);
  send(victim.worker.pid, signal);
  if (signal === 'SIGSTOP') {
    await sleep(random() * 6000);
    send(victim.worker.pid, 'SIGCONT');
  }
  // The server closes connections on which it hears nothing for 5 s, so the calls after a long stop may fail.
  await endedWithReport(program, signal === 'SIGSTOP' ? [0, 4, 99] : [0, 4]);
  const files = readRun(results);
  nothingIsLeft(files.events);
  countsAgree(files, log, unreportedBy(victim.workerId, files));
}

/** At most as many calls as a worker that was lost had still to make after its last report; 0 when it was not lost. */
function unreportedBy(workerId: string, { events, telemetry }: RunFiles): number {
  if (!eventsOf(events, 'worker.lost').some((event) => event.workerId === workerId)) return 0;
  const ends = telemetry.filter((line) => line.workerId === workerId).map(({ batch }) => batch.toMs);
  const leftMs = Math.max(0, (SECONDS * 1000) / 2 - Math.max(0, ...ends));
  return Math.ceil((leftMs / 1000) * RATE + 1) * (CLIENTS / WORKERS);
}

async function signalledCommandLine(random: Random): Promise<void> {
  const { url, log } = await startTestServer({ behaviour: rightly });
  const { program, results } = startRun({ scenario, target: url, args: ['--workers', String(WORKERS)] });
  await anyMoment(random, results);
  const signal = pick(random, ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGSTOP'] as const);
  send(program.pid, signal);
  if (signal === 'SIGSTOP') {
    await sleep(random() * 4000);
    send(program.pid, 'SIGCONT');
  } else if (random() < 0.5) {
    await sleep(random() * 1000);
    send(program.pid, signal);
  }
  await endedWithReport(program, [0, 3, 4, 130]);
  const files = readRun(results);
  nothingIsLeft(files.events);
  countsAgree(files, log, 0);
}

async function killedCommandLine(random: Random): Promise<void> {
  const { url, log } = await startTestServer({ behaviour: rightly });
  const { program, results } = startRun({ scenario, target: url, args: ['--workers', String(WORKERS)] });
  await anyMoment(random, results);
  send(program.pid, 'SIGKILL');
  await program.ended;
  const isOver = liveEvents(results).some(({ type }) => type === 'run.finished');
  const controller = startProgram('harness/cli/main.js', ['serve', '--port', '0', '--out', results]);
  await controller.wrote(isOver ? /listens on/ : /^finished /m, 120_000);
  controller.kill('SIGTERM');
  expect(await controller.ended).toBe(0);
  // A run that had its verdict, but no report yet, is rendered by hand.
  if (isOver) await writeReport(runFolder(results));
  const files = readRun(results);
  nothingIsLeft(files.events);
  countsAgree(files, log, 0);
}

async function signalledTarget(random: Random): Promise<void> {
  const { program, results } = startRun({ scenario, args: ['--workers', '1'] });
  await until('the load', () => eventsOf(liveEvents(results), 'run.started').length > 0);
  await sleep(random() * SECONDS * 1000);
  const [target] = eventsOf(liveEvents(results), 'program.started').filter(
    ({ program: { role } }) => role === 'target',
  );
  const signal = pick(random, ['SIGKILL', 'SIGTERM', 'SIGHUP', 'SIGSTOP'] as const);
  if (target !== undefined) send(target.program.pid, signal);
  if (signal === 'SIGSTOP') {
    await sleep(random() * 3000);
    if (target !== undefined) send(target.program.pid, 'SIGCONT');
  }
  await endedWithReport(program, [0, 4, 99]);
  const files = readRun(results);
  nothingIsLeft(files.events);
  booksBalance(files);
}

/** The results are on a disk of their own that is too small, within a mount namespace. */
async function fullDisk(random: Random): Promise<void> {
  const folder = tempFolder();
  const [small, kept] = [join(folder, 'small'), join(folder, 'kept')];
  for (const path of [small, kept]) mkdirSync(path);
  const { url } = await startTestServer({ behaviour: rightly });
  const kilobytes = 12 + Math.floor(random() * 200);
  const script =
    'mount -t tmpfs -o size="$1"k tmpfs "$2" || exit 77; from="$2"; to="$3"; shift 3; "$@"; code=$?; ' +
    'cp -R "$from/." "$to"; exit $code';
  const program = startCommand([
    ...['unshare', '-rm', 'sh', '-c', script, 'sh', String(kilobytes), small, kept],
    ...[process.execPath, join(buildRoot, 'harness/cli/main.js'), 'run', writeScenario(scenario)],
    ...['--target', url, '--out', small, '--workers', '1'],
  ]);
  const code = await program.ended;
  // Where namespaces are not allowed there is nothing to see.
  if (code === 77 || /unshare/.test(program.stderr())) return;
  expect([0, 1, 2, 3, 4]).toContain(code);
  expect(program.stderr()).not.toMatch(/^ {4}at /m);
  const folderOfRun = existsSync(kept) ? safeRunFolder(kept) : undefined;
  if (folderOfRun === undefined) return;
  await rendersOrSays(folderOfRun);
  nothingIsLeft(eventsSoFar(folderOfRun));
}

/** One good run, of which each fault damages a copy. */
let goodRun: Promise<string> | undefined;

async function damagedLog(random: Random): Promise<void> {
  goodRun ??= (async () => {
    const { url } = await startTestServer({ behaviour: rightly });
    const { program, results } = startRun({ scenario, target: url });
    await endedWithReport(program, [0, 4]);
    return runFolder(results);
  })();
  const copy = join(tempFolder(), 'run');
  cpSync(await goodRun, copy, { recursive: true });
  const file = join(copy, pick(random, ['events.jsonl', 'telemetry.jsonl']));
  writeFileSync(file, damagedText(random, readFileSync(file, 'utf8')));
  rmSync(join(copy, 'report.json'));
  const program = startProgram('harness/cli/main.js', ['report', copy]);
  const code = await program.ended;
  const words = program.stdout() + program.stderr();
  expect([0, 1, 2]).toContain(code);
  expect(words).not.toMatch(/^ {4}at |please report it|this is a bug/m);
  if (code === 0) expect(existsSync(join(copy, 'report.json'))).toBe(true);
  else expect(words).toMatch(/^error: .*[^]*code: /m);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended by itself.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function endedWithReport(program: Program, codes: readonly number[]): Promise<void> {
  const code = await program.ended;
  const said = program.stderr() + program.stdout();
  if (!codes.includes(code as number)) throw new Error(`exit ${code}, not one of ${codes.join(', ')}:\n${said}`);
  expect(said).not.toMatch(/^ {4}at /m);
}

function nothingIsLeft(events: readonly RunEvent[]): void {
  const left = eventsOf(events, 'program.started').filter(({ program: { pid } }) => isAlive(pid));
  expect(left.map(({ program: { name } }) => name)).toEqual([]);
}

/** @param unreported how many calls a worker that was lost may have made after its last report */
function countsAgree(files: RunFiles, log: ServerLog, unreported: number): void {
  booksBalance(files);
  const [sent, succeeded] = [totalOf(files.telemetry, 'sent'), totalOf(files.telemetry, 'succeeded')];
  // What was sent when the load was cut may not have arrived; all that was answered had.
  expect({ sent, succeeded, calls: log.calls.length, unreported }).toEqual({
    sent,
    succeeded,
    calls: expect.any(Number),
    unreported,
  });
  expect(log.calls.length).toBeGreaterThanOrEqual(succeeded);
  expect(log.calls.length).toBeLessThanOrEqual(sent + unreported);
  expect(files.report.summary.succeeded).toBe(succeeded);
}

function booksBalance({ report, telemetry, events }: RunFiles): void {
  const total = (key: Parameters<typeof totalOf>[1]): number => totalOf(telemetry, key);
  const hasLost = events.some(({ type }) => type === 'worker.lost');
  const isWhole = !hasLost && !report.verdict.reasons.some((reason) => /missing/.test(reason));
  if (isWhole) expect(total('sent')).toBe(total('succeeded') + total('failed') + total('lost'));
  expect(report.verdict.reasons.filter((reason) => /please report it/.test(reason))).toEqual([]);
}

async function rendersOrSays(folder: string): Promise<void> {
  await writeReport(folder).catch((error: unknown) => expect(codeOf(error)).toEqual(expect.any(String)));
}

function safeRunFolder(results: string): string | undefined {
  try {
    return runFolder(results);
  } catch {
    return undefined;
  }
}

function eventsSoFar(folder: string): readonly RunEvent[] {
  return existsSync(join(folder, 'events.jsonl')) ? readEvents(folder) : [];
}
