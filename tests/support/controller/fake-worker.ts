/**
 * A worker process for tests, which speaks the protocol but makes no load. Each of its clients reports 10 operations a
 * second, so the result of a run is known. `fake-worker.js CONTROLLER_URL SLOT [TOKEN]`
 */
import { argv, exit } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AssignmentOrder, Order } from '../../../client-sim/protocol/messages.js';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { batchOf, WireWorker } from './wire-worker.js';

const OPERATIONS_PER_CLIENT_MS = 0.01;
const [, , url = '', slot = '1', token] = argv;
const worker = new WireWorker(url, { slot: Number(slot) }, token);
const assignments = new Map<string, AssignmentOrder>();
const unacknowledged: Telemetry[] = [];
let leaseMs = Infinity;
let answeredAt = Date.now();
let doneMs = 0;
let sequence = 0;
let stop: 'drain' | 'now' | 'lease' | undefined;
let ended = false;

await register();
void beat();
void listen();
void deliver();
setInterval(measure, 20);

async function register(): Promise<void> {
  ({ leaseMs } = await worker.register());
  answeredAt = Date.now();
}

async function beat(): Promise<void> {
  for (;;) {
    try {
      const answer = await worker.heartbeat();
      if (answer.status === 404) await register();
      else answeredAt = Date.now();
    } catch {
      if (Date.now() - answeredAt > leaseMs && assignments.size > 0) stop ??= 'lease';
    }
    await sleep(100);
  }
}

async function listen(): Promise<void> {
  for (let last = 0; ; await sleep(100)) {
    try {
      for await (const { id, order } of worker.orders(last, new AbortController().signal)) {
        last = id;
        await obey(order);
      }
    } catch {
      // The controller is away; the next connection continues after `last`.
    }
  }
}

async function obey(order: Order): Promise<void> {
  if (order.type === 'preflight') await worker.preflight(order.runId);
  if (order.type === 'assignment') {
    if (assignments.size === 0) [doneMs, sequence, stop, ended] = [0, 0, undefined, false];
    assignments.set(order.assignmentId, order);
  }
  if (order.type === 'stop') stop ??= order.mode;
}

/** Makes batches up to now, one for each second. */
function measure(): void {
  const [first] = assignments.values();
  if (first === undefined || ended) return;
  const endMs = Math.max(...first.plan.stages.map((stage) => stage.startMs + stage.durationMs));
  const nowMs = Date.now() - first.startAt;
  while (!ended && doneMs < endMs && (stop !== undefined || nowMs >= nextSecond())) {
    cut(first, stop === undefined ? Math.min(nextSecond(), endMs) : Math.min(Math.max(nowMs, doneMs), endMs), endMs);
  }
}

function endReason(): 'finished' | 'stopped' | 'lease-lost' {
  if (stop === undefined) return 'finished';
  return stop === 'lease' ? 'lease-lost' : 'stopped';
}

function nextSecond(): number {
  return (Math.floor(doneMs / 1000) + 1) * 1000;
}

function cut({ runId, plan }: AssignmentOrder, toMs: number, endMs: number): void {
  const operations = [...assignments.values()].reduce((sum, { slots, joinMs }) => {
    const clients = slots.reduce((count, set) => count + set.count, 0);
    return sum + Math.round(clients * Math.max(0, toMs - Math.max(doneMs, joinMs)) * OPERATIONS_PER_CLIENT_MS);
  }, 0);
  ended = stop !== undefined || toMs >= endMs;
  sequence += 1;
  const stage = plan.stages.findLast((candidate) => candidate.startMs <= doneMs)?.index ?? 0;
  unacknowledged.push(
    batchOf({
      runId,
      sequence,
      fromMs: doneMs,
      toMs,
      operations,
      stage,
      ...(ended ? { final: { reason: endReason() } } : {}),
    }),
  );
  doneMs = toMs;
  if (ended) assignments.clear();
}

async function deliver(): Promise<void> {
  for (;;) {
    const [batch] = unacknowledged;
    try {
      const answer = batch && (await worker.telemetry(batch));
      if (answer?.status === 410) exit(0);
      const acknowledged = answer?.ok ? ((await answer.json()) as { acknowledged: number }).acknowledged : 0;
      while (unacknowledged[0] !== undefined && unacknowledged[0].sequence <= acknowledged) unacknowledged.shift();
    } catch {
      // The batch is sent again.
    }
    await sleep(unacknowledged.length > 0 ? 20 : 50);
  }
}
