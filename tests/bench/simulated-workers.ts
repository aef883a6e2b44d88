/**
 * N simulated workers against a controller, over the real protocol: each registers, keeps its stream of orders open,
 * sends heartbeats, answers the preflight, and delivers a batch a second with histograms as real ones are. The load is
 * four profiles with three operations each, of 50 calls a second.
 *
 * `node simulated-workers.js URL N SECONDS PID [WORKER-TOKEN OPERATOR-TOKEN]`; PID is the controller's, whose processor
 * time and memory are read. Prints one line of JSON.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type Order, PROTOCOL, type Registered } from '../../client-sim/protocol/messages.js';
import { readSse } from '../support/controller/wire-worker.js';
import { callsASecond, simulatedContent, simulatedHealth } from './simulated-batches.js';

const [url = '', countText, secondsText, pid = '', workerToken, operatorToken] = process.argv.slice(2);
const count = Number(countText);
const seconds = Number(secondsText);
const agent = new Agent({ connect: { timeout: 60_000 }, headersTimeout: 120_000, bodyTimeout: 0 });

const load = { profiles: ['chat', 'search', 'files', 'batch'], operations: ['first', 'second', 'third'] };

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function post(path: string, body: string, token: string | undefined): Promise<Answer> {
  const { statusCode, body: answer } = await request(`${url}${path}`, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization(token) },
    body,
  });
  return { status: statusCode, text: await answer.text() };
}

async function get(path: string): Promise<unknown> {
  const { body } = await request(`${url}${path}`, { dispatcher: agent, headers: authorization(operatorToken) });
  return body.json();
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

const problems = new Map<string, number>();
function note(problem: string): void {
  problems.set(problem, (problems.get(problem) ?? 0) + 1);
}

/** What batches say, in JSON. All workers use the same few, each in an order of its own. */
const contents = Array.from({ length: 64 }, (_, variant) => JSON.stringify(simulatedContent(load, variant)).slice(1));

const acknowledgedMs: number[] = [];
const heartbeatMs: number[] = [];
let registered = 0;
let started = 0;
let batches = 0;
let expected = 0;
let startAt = 0;

async function timed(times: number[], path: string, body: string, token: string, wanted: number): Promise<boolean> {
  const from = performance.now();
  try {
    const { status, text } = await post(path, body, token);
    times.push(performance.now() - from);
    if (status === wanted) return true;
    note(`${path.split('/').at(-1)} ${status} ${text.slice(0, 120)}`);
  } catch (error) {
    note(`${path.split('/').at(-1)} ${String(error).slice(0, 120)}`);
  }
  return false;
}

async function simulate(index: number): Promise<void> {
  const registration = {
    protocol: PROTOCOL,
    host: 'simulated',
    pid: process.pid,
    capacity: { clients: 1000, ratePerSecond: 100_000, connections: 1000 },
    threads: 1,
    version: 'simulated',
    incarnation: randomUUID(),
  };
  const { status, text } = await post('/workers', JSON.stringify(registration), workerToken);
  if (status !== 201) return note(`register ${status} ${text.slice(0, 120)}`);
  registered += 1;
  const identity = JSON.parse(text) as Registered;
  const path = `/workers/${identity.workerId}`;
  const over = new AbortController();
  void beat(path, identity, over.signal);
  const stream = await request(`${url}${path}/assignments`, {
    dispatcher: agent,
    headers: authorization(identity.token),
  });
  for await (const { data } of readSse(stream.body as unknown as ReadableStream<Uint8Array>)) {
    const order = data as Order;
    if (order.type === 'preflight') await answerPreflight(order.runId, path, identity.token);
    if (order.type === 'assignment') {
      startAt = order.startAt;
      void work(order.runId, index, path, identity.token);
    }
  }
  over.abort();
}

async function beat(path: string, { token, heartbeatMs: everyMs }: Registered, signal: AbortSignal): Promise<void> {
  await sleep(Math.random() * everyMs);
  while (!signal.aborted) {
    const body = JSON.stringify({ protocol: PROTOCOL, now: Date.now(), health: simulatedHealth });
    await timed(heartbeatMs, `${path}/heartbeat`, body, token, 200);
    await sleep(everyMs);
  }
}

async function answerPreflight(runId: string, path: string, token: string): Promise<void> {
  const result = {
    protocol: PROTOCOL,
    runId,
    ok: true,
    pinned: { era: 'legacy', version: '2025-11-25', sessions: true },
    serverInfo: { name: 'simulated', version: '1' },
    tools: [],
    exchanges: [],
  };
  await timed([], `${path}/preflight`, JSON.stringify(result), token, 202);
}

async function work(runId: string, index: number, path: string, token: string): Promise<void> {
  started += 1;
  for (let sequence = 1; sequence <= seconds; sequence += 1) {
    const [fromMs, toMs] = [(sequence - 1) * 1000, sequence * 1000];
    await sleep(Math.max(0, startAt + toMs - Date.now()));
    expected += 1;
    const final = sequence === seconds ? ',"final":{"reason":"finished"}' : '';
    const head = `{"protocol":1,"runId":"${runId}","sequence":${sequence},"fromMs":${fromMs},"toMs":${toMs},"stage":0`;
    const content = contents[(index * 7 + sequence) % contents.length] ?? '';
    const body = `${head}${final},${content}`;
    if (await timed(acknowledgedMs, `${path}/telemetry`, body, token, 200)) batches += 1;
  }
}

/** In clock ticks of 10 ms. */
function processorSeconds(): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident, at its highest. */
function peakMiB(): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
}

async function until(done: () => boolean | Promise<boolean>, withinSeconds: number): Promise<boolean> {
  for (let tries = 0; tries < withinSeconds * 5; tries += 1) {
    if (await done()) return true;
    await sleep(200);
  }
  return false;
}

const scenario = `
name: controller-bench
limits: { rate: 100000000/s, clients: 1000000 }
target: { server: { url: "http://127.0.0.1:1/mcp" } }
workload:
${load.profiles
  .map(
    (profile) => `  ${profile}:
    profile: low-load
    clients: ${count}
    arrivals: { rate: ${load.operations.length * callsASecond}/s }
    operations: [${load.operations.map((name) => `{ name: ${name}, tool: work, arguments: {} }`).join(', ')}]`,
  )
  .join('\n')}
stages: [{ name: steady, duration: ${seconds}s }]
thresholds: [errors.rate < 1%, latency.p99 < 10s, { check: latency.p95 < 10s, abortOnFail: true }]
stopWhen: [{ check: errors.rate > 50%, window: 10s }]
`;

for (let index = 0; index < count; index += 1) {
  void simulate(index);
  if (index % 20 === 19) await sleep(20);
}
if (!(await until(() => registered >= count, 60))) note(`only ${registered} of ${count} registered`);
await sleep(500);
const submitted = await post('/runs', JSON.stringify({ scenario, registeredWorkers: count }), operatorToken);
if (submitted.status !== 201)
  throw new Error(`the run was refused: ${submitted.status} ${submitted.text.slice(0, 500)}`);
const { runId } = JSON.parse(submitted.text) as { readonly runId: string };
if (!(await until(() => started >= count, 60))) note(`only ${started} of ${count} were given work`);
await sleep(Math.max(0, startAt + 2500 - Date.now()));
// The first batches meet code that is not yet compiled.
const [cpuFrom, batchesFrom, wallFrom] = [processorSeconds(), batches, performance.now()];
acknowledgedMs.length = 0;
heartbeatMs.length = 0;
await sleep(Math.max(0, startAt + seconds * 1000 - 500 - Date.now()));
const cpuSeconds = processorSeconds() - cpuFrom;
const measured = batches - batchesFrom;
const wallSeconds = (performance.now() - wallFrom) / 1000;
const acknowledgement = { p50: quantile(acknowledgedMs, 0.5), p99: quantile(acknowledgedMs, 0.99) };
const heartbeat = { p99: quantile(heartbeatMs, 0.99) };
let verdict = 'not over';
await until(async () => {
  const { state } = (await get(`/runs/${runId}`)) as { state: { kind: string; verdict?: { kind: string } } };
  verdict = state.verdict === undefined ? state.kind : state.verdict.kind;
  return state.kind === 'finished';
}, 120);
process.stdout.write(
  `${JSON.stringify({
    workers: count,
    batches: measured,
    missing: expected - batches,
    cpuSeconds,
    cores: cpuSeconds / wallSeconds,
    msPerBatch: (cpuSeconds * 1000) / measured,
    batchBytes: contents[0]?.length ?? 0,
    memoryMiB: peakMiB(),
    acknowledgement,
    heartbeat,
    verdict,
    problems: Object.fromEntries(problems),
  })}\n`,
);
process.exit(0);
