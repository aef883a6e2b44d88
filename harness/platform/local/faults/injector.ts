/** Faults of replicas on this machine: by signals, by starting processes again, by the proxies of the fault helper. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { strengthAt } from '../../../../scenarios/schema/faults/fault-kind.js';
import type { FaultPlan } from '../../../../scenarios/schema/plan.js';
import { messageOf } from '../../../support/error-message.js';
import {
  type FaultContext,
  type FaultEffect,
  type FaultInjector,
  FaultRefused,
  type FaultSubject,
  type LeftOver,
  type StartedProgram,
} from '../../platform.js';
import { startTicks, statFields } from '../../proc-stat.js';
import { PlatformError, type ProcessHost, type Program, type ProgramSpec, startProgram } from '../program.js';
import {
  type FaultReplica,
  type HelperState,
  type NetworkRule,
  noOrders,
  type Orders,
  readOrders,
  readState,
  readTopology,
  type Topology,
  writeOrders,
  writeTopology,
} from './fault-files.js';
import { answersIn, isReset } from './probes.js';

const POLL_MS = 50;
/** How long the fault helper may take to follow an order. */
const HELPER_MS = 5_000;
/** A process that was asked to end is killed after this time, as an operator does. */
const GRACE_MS = 10_000;
/** Nothing passes when a probe has no answer for so long. */
const SILENCE_MS = 400;
/** As long as a controller conducts the run, it touches the lease every second. */
const LEASE_STALE_MS = 10_000;

/** The programs of a run that this process started. */
export interface LiveRun {
  /** Started here, so it ends with the others. */
  start(spec: ProgramSpec): Promise<Program>;
  /** How the process ended; undefined while it runs, or when it was not started here. */
  exitOf(pid: number): string | undefined;
}

type NetworkFault = Extract<FaultPlan, { readonly kind: 'partition' | 'delay' | 'rate' | 'reset' }>;

export function isNetworkFault(fault: FaultPlan): fault is NetworkFault {
  return ['partition', 'delay', 'rate', 'reset'].includes(fault.kind);
}

/** @param live by run folder: the runs of this process; of others, the programs are known from their files */
export function createLocalInjector(host: ProcessHost, live: ReadonlyMap<string, LiveRun>): FaultInjector {
  return new LocalInjector(host, live);
}

class LocalInjector implements FaultInjector {
  constructor(
    private readonly host: ProcessHost,
    private readonly live: ReadonlyMap<string, LiveRun>,
  ) {}

  async inspect(fault: FaultPlan, context: FaultContext): Promise<FaultSubject> {
    const { replicas } = topologyOf(context.runFolder);
    const struck = struckBy(fault, replicas, context);
    for (const replica of struck)
      if (!isRunning(replica)) throw new FaultRefused(`${replica.id} does not run, so nothing can be done to it`);
    const { proxies = {} } = readState(context.runFolder) ?? {};
    return {
      description: descriptionOf(fault, struck),
      replicas: struck.map(({ id }) => id),
      before: {
        processes: struck.map(({ id, pid, startTicks: ticks }) => ({ id, pid, startTicks: ticks })),
        resets: Object.fromEntries(struck.map(({ id }) => [id, proxies[id]?.resets ?? 0])),
      },
    };
  }

  async inject(fault: FaultPlan, subject: FaultSubject, progress: number, signal: AbortSignal): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        return this.signalAll(subject, fault.signal);
      case 'stop':
      case 'restart':
      case 'scale':
        return this.signalAll(subject, 'SIGTERM');
      case 'pause':
        return this.order(subject, fault.id, { paused: processesOf(subject) }, signal);
      case 'partition':
      case 'delay':
      case 'rate':
      case 'reset':
        return this.order(subject, fault.id, { rule: ruleOf(fault, progress) }, signal);
      default:
        throw new FaultRefused(`\`kind: ${fault.kind}\` needs a swarm`);
    }
  }

  async maintain(
    fault: FaultPlan,
    subject: FaultSubject,
    progress: number,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    if (!isNetworkFault(fault)) return [];
    const rule = ruleOf(fault, progress);
    const now = readOrders(folderOf(subject))?.rules.find(({ faultId }) => faultId === fault.id)?.rule;
    if (JSON.stringify(now) !== JSON.stringify(rule)) await this.order(subject, fault.id, { rule }, signal);
    return [];
  }

  async undo(fault: FaultPlan, subject: FaultSubject, signal: AbortSignal): Promise<readonly StartedProgram[]> {
    if (fault.kind === 'pause' || isNetworkFault(fault)) {
      await this.order(subject, fault.id, {}, signal);
      return [];
    }
    return this.startAgain(subject);
  }

  /** The helper is gone, and its proxies with it: processes are continued from here, and a new helper is started. */
  async undoByForce(fault: FaultPlan, subject: FaultSubject, signal: AbortSignal): Promise<readonly StartedProgram[]> {
    const runFolder = folderOf(subject);
    if (fault.kind === 'pause')
      for (const process of processesOf(subject)) if (isRunning(process)) this.host.kill(-process.pid, 'SIGCONT');
    withdraw(runFolder, fault.id);
    if (!isOn(runFolder)) return [];
    const started = await this.startHelper(runFolder);
    await this.awaitHelper(runFolder, signal, started.length > 0);
    return started;
  }

  async waitForEffect(
    fault: FaultPlan,
    subject: FaultSubject,
    phase: 'injected' | 'undone',
    signal: AbortSignal,
  ): Promise<FaultEffect> {
    const since = performance.now();
    let problem = 'nothing was seen';
    while (!signal.aborted) {
      const seen = await (phase === 'injected'
        ? this.witness(fault, subject, since)
        : this.verify(fault, subject)
      ).catch((error: unknown) => ({ problem: messageOf(error) }));
      if ('evidence' in seen) return { settled: true, evidence: seen.evidence, replicas: [] };
      problem = seen.problem;
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    if (phase === 'injected') return { settled: false, replicas: [] };
    const left: LeftOver = { what: problem, mend: `swarmbench heal ${runIdOf(subject)}` };
    return { settled: false, left: [left], replicas: [] };
  }

  // ---- processes ----

  private signalAll(subject: FaultSubject, name: NodeJS.Signals): void {
    for (const process of processesOf(subject)) if (isRunning(process)) this.host.kill(-process.pid, name);
  }

  /** Starts each struck replica that does not run, at the ports that it had. A run that is over needs none. */
  private async startAgain(subject: FaultSubject): Promise<readonly StartedProgram[]> {
    const runFolder = folderOf(subject);
    const topology = readTopology(runFolder);
    if (topology === undefined || !isOn(runFolder)) return [];
    const started: Program[] = [];
    for (const { id } of processesOf(subject)) {
      const replica = readTopology(runFolder)?.replicas.find((one) => one.id === id);
      if (replica === undefined || isRunning(replica)) continue;
      const { entry, args, logFile } = replica;
      const program = await this.start(runFolder, { role: 'target', name: id, entry, args, env: {}, logFile });
      started.push(program);
      noteProcess(runFolder, id, program);
    }
    return started.map(startedProgram);
  }

  private start(runFolder: string, spec: ProgramSpec): Promise<Program> {
    return this.live.get(runFolder)?.start(spec) ?? startProgram(spec, this.host);
  }

  // ---- the helper ----

  /** @param what the helper is to do for this fault; empty: nothing any more */
  private async order(
    subject: FaultSubject,
    faultId: string,
    what: { readonly paused?: readonly Process[]; readonly rule?: NetworkRule },
    signal: AbortSignal,
  ): Promise<void> {
    const runFolder = folderOf(subject);
    const orders = withdraw(runFolder, faultId);
    const { paused = [], rule } = what;
    if (paused.length > 0 || rule !== undefined)
      writeOrders(runFolder, {
        version: orders.version + 1,
        rules: [
          ...orders.rules,
          ...(rule === undefined ? [] : subject.replicas.map((replica) => ({ faultId, replica, rule }))),
        ],
        paused: [
          ...orders.paused,
          ...paused.map(({ pid, startTicks: ticks }) => ({
            faultId,
            pid,
            ...(ticks === undefined ? {} : { startTicks: ticks }),
          })),
        ],
      });
    else if (!isOn(runFolder)) return this.release(subject);
    await this.awaitHelper(runFolder, signal);
  }

  /** Without a run there is no helper that could follow an order, nor anything that it holds back. */
  private release(subject: FaultSubject): void {
    for (const process of processesOf(subject)) if (isRunning(process)) this.host.kill(-process.pid, 'SIGCONT');
  }

  /** @param isNew the state may still be that of the helper before it */
  private async awaitHelper(runFolder: string, signal: AbortSignal, isNew = false): Promise<void> {
    const until = performance.now() + HELPER_MS;
    for (;;) {
      const state = readState(runFolder);
      if (follows(state, readOrders(runFolder) ?? noOrders)) return;
      const isGone = !isNew && state !== undefined && !isRunning(state);
      if (isGone || performance.now() > until || signal.aborted)
        throw new PlatformError(
          'FAULT_HELPER',
          isGone ? 'the fault helper has ended' : `the fault helper did not follow within ${HELPER_MS / 1000} s`,
          `its log is ${join(runFolder, 'logs', 'fault-helper.log')}`,
        );
      await sleep(10);
    }
  }

  private async startHelper(runFolder: string): Promise<readonly StartedProgram[]> {
    const state = readState(runFolder);
    if (state !== undefined && isRunning(state)) return [];
    const { helper } = topologyOf(runFolder);
    return [startedProgram(await this.start(runFolder, { role: 'helper', name: 'fault-helper', env: {}, ...helper }))];
  }

  // ---- what is seen ----

  private async witness(fault: FaultPlan, subject: FaultSubject, since: number): Promise<Seen> {
    switch (fault.kind) {
      case 'kill':
      case 'stop':
      case 'restart':
      case 'scale':
        return this.witnessEnd(fault, subject, since);
      case 'pause':
        return witnessAll(subject, (replica) => witnessPause(replica));
      case 'partition':
        return witnessAll(subject, (replica) => witnessSilence(replica));
      case 'delay':
        return witnessAll(subject, (replica) => witnessDelay(fault.id, subject, replica));
      case 'rate':
        return witnessAll(subject, (replica) => witnessRate(fault.id, subject, replica));
      case 'reset':
        return witnessAll(subject, (replica) => witnessReset(fault.id, subject, replica));
      default:
        return { problem: `\`kind: ${fault.kind}\` needs a swarm` };
    }
  }

  private async witnessEnd(fault: FaultPlan, subject: FaultSubject, since: number): Promise<Seen> {
    const left = processesOf(subject).filter(isRunning);
    if (left.length > 0) {
      if (fault.kind !== 'kill' && performance.now() - since > GRACE_MS) this.signalAll(subject, 'SIGKILL');
      return { problem: `${left.map(({ id }) => id).join(', ')} still runs` };
    }
    const run = this.live.get(folderOf(subject));
    const ends = processesOf(subject).map(({ id, pid }) => ({ id, how: run?.exitOf(pid) }));
    // The kernel knows it a moment before its parent does, which alone knows how it ended.
    if (run !== undefined && ends.some(({ how }) => how === undefined))
      return { problem: 'its end was not reported yet' };
    const shown = ends.map(({ id, how }) => (how === undefined ? `${id} has ended` : `${id} ended with ${how}`));
    return { evidence: shown.length === 0 ? 'there was nothing to end' : shown.join(', ') };
  }

  private async verify(fault: FaultPlan, subject: FaultSubject): Promise<Seen> {
    const runFolder = folderOf(subject);
    const orders = readOrders(runFolder) ?? noOrders;
    if ([...orders.rules, ...orders.paused].some(({ faultId }) => faultId === fault.id))
      return { problem: 'the fault helper still has the order' };
    if (!isOn(runFolder)) return { evidence: 'the run is over' };
    if (!follows(readState(runFolder), orders)) return { problem: 'the fault helper did not follow the order' };
    return witnessAll(subject, async ({ id, url, proxies }) => {
      for (const port of [new URL(url).port, ...proxies.slice(0, 1).map(({ listen }) => String(listen))]) {
        const ms = await answersIn(healthOf(url, port), 2_000);
        if (ms === undefined) return { problem: `${id} does not answer at port ${port}` };
      }
      return { evidence: `${id} answers` };
    });
  }
}

type Seen = { readonly evidence: string } | { readonly problem: string };

async function witnessAll(subject: FaultSubject, look: (replica: FaultReplica) => Promise<Seen>): Promise<Seen> {
  const { replicas } = topologyOf(folderOf(subject));
  const struck = replicas.filter(({ id }) => subject.replicas.includes(id));
  const seen = await Promise.all(struck.map(look));
  const problem = seen.find((one) => 'problem' in one);
  if (problem !== undefined) return problem;
  return { evidence: seen.flatMap((one) => ('evidence' in one ? [one.evidence] : [])).join('; ') };
}

async function witnessPause({ id, pid, url }: FaultReplica): Promise<Seen> {
  const fields = statFields(pid);
  if (fields !== undefined)
    return fields[0] === 'T' ? { evidence: `${id} is stopped (state T)` } : { problem: `${id} is not stopped` };
  const ms = await answersIn(healthOf(url), SILENCE_MS);
  return ms === undefined
    ? { evidence: `${id} gave no answer for ${SILENCE_MS} ms` }
    : { problem: `${id} answers within ${ms.toFixed(1)} ms` };
}

/** Nothing comes back through the proxy, while the replica itself answers. */
async function witnessSilence({ id, url, proxies }: FaultReplica): Promise<Seen> {
  const direct = await answersIn(healthOf(url), 5_000);
  if (direct === undefined) return { problem: `${id} does not answer even without its proxy` };
  // Longer on a machine where everything takes longer.
  const silenceMs = Math.max(SILENCE_MS, 3 * direct);
  const through = await answersIn(healthOf(url, String(proxies[0]?.listen)), silenceMs);
  if (through !== undefined) return { problem: `${id} answers through its proxy within ${through.toFixed(1)} ms` };
  const shown = `${id} gave no answer for ${silenceMs.toFixed(0)} ms`;
  return { evidence: `${shown}, and without its proxy within ${direct.toFixed(1)} ms` };
}

async function witnessDelay(faultId: string, subject: FaultSubject, { id, url, proxies }: FaultReplica): Promise<Seen> {
  const rule = orderedRule(faultId, subject);
  if (rule?.kind !== 'delay') return { problem: 'the order is not known' };
  const mostMs = rule.delayMs + rule.jitterMs + 2_000;
  const through = await answersIn(healthOf(url, String(proxies[0]?.listen)), mostMs);
  const direct = await answersIn(healthOf(url), 2_000);
  if (through === undefined || direct === undefined) return { problem: `${id} does not answer` };
  const shown = `RTT to ${id} ${through.toFixed(1)} ms, and ${direct.toFixed(1)} ms without its proxy`;
  // The answer was late by at least this much, whatever the rest of the way took.
  const leastMs = rule.delayMs - rule.jitterMs - 1;
  return through >= leastMs ? { evidence: shown } : { problem: shown };
}

async function witnessRate(faultId: string, subject: FaultSubject, { id, url, proxies }: FaultReplica): Promise<Seen> {
  const before = readState(folderOf(subject))?.proxies[id];
  const since = performance.now();
  const timeoutMs = 10_000;
  const answered = await answersIn(healthOf(url, String(proxies[0]?.listen)), timeoutMs);
  await sleep(250);
  const after = readState(folderOf(subject))?.proxies[id];
  const rule = orderedRule(faultId, subject);
  if (before === undefined || after === undefined || rule?.kind !== 'rate')
    return { problem: 'the order is not known' };
  const seconds = (performance.now() - since) / 1000;
  const perSecond = (after.bytesOut - before.bytesOut) / seconds;
  const shown = `${id} sent ${Math.round(perSecond)} B/s of at most ${Math.round(rule.bytesPerSecond)} B/s`;
  if (answered === undefined) return { evidence: `${shown}, and an answer took more than ${timeoutMs / 1000} s` };
  // What is counted was read up to a fifth of a second later.
  return perSecond <= rule.bytesPerSecond * (1 + 0.5 / seconds) + 4096 ? { evidence: shown } : { problem: shown };
}

async function witnessReset(faultId: string, subject: FaultSubject, { id, url, proxies }: FaultReplica): Promise<Seen> {
  const rule = orderedRule(faultId, subject);
  if (rule?.kind !== 'reset') return { problem: 'the order is not known' };
  if (rule.share === 0) return { evidence: `${id}: 0% of the connections are to be reset` };
  const wasReset = await isReset(healthOf(url, String(proxies[0]?.listen)));
  const { resets = {} } = subject.before as { readonly resets?: Readonly<Record<string, number>> };
  const count = (readState(folderOf(subject))?.proxies[id]?.resets ?? 0) - (resets[id] ?? 0);
  if (wasReset) return { evidence: `a probe of ${id} was reset` };
  return count > 0
    ? { evidence: `${count} connections to ${id} were reset` }
    : { problem: `no connection to ${id} was reset` };
}

function orderedRule(faultId: string, subject: FaultSubject): NetworkRule | undefined {
  return readOrders(folderOf(subject))?.rules.find((one) => one.faultId === faultId)?.rule;
}

// ---- what is struck ----

interface Process {
  readonly id: string;
  readonly pid: number;
  readonly startTicks: number | undefined;
}

function processesOf({ before }: FaultSubject): readonly Process[] {
  const { processes } = before as { readonly processes?: unknown };
  return Array.isArray(processes) ? (processes as readonly Process[]) : [];
}

/** Whether this very process runs; without /proc, whether any has its id. */
function isRunning(process: { readonly pid: number; readonly startTicks?: number | undefined }): boolean {
  return process.startTicks === undefined ? true : startTicks(process.pid) === process.startTicks;
}

function struckBy(
  fault: FaultPlan,
  replicas: readonly FaultReplica[],
  { sessions }: FaultContext,
): readonly FaultReplica[] {
  if (fault.kind === 'scale') return replicas.slice(fault.replicas);
  if (!('target' in fault)) throw new FaultRefused(`\`kind: ${fault.kind}\` needs a swarm`);
  const { target } = fault;
  if (target.at === 'replicas')
    return target.slots.map((slot) => {
      const replica = replicas[slot - 1];
      if (replica === undefined) throw new FaultRefused(`there is no replica ${slot}`);
      return replica;
    });
  if (target.at !== 'serving') throw new FaultRefused(`there is no ${target.at} on this machine`);
  const [most] = replicas
    .map((replica) => ({ replica, count: sessions.get(replica.id) ?? 0 }))
    .toSorted((a, b) => b.count - a.count);
  if (most === undefined || most.count === 0) throw new FaultRefused('no replica has a session yet');
  return [most.replica];
}

function descriptionOf(fault: FaultPlan, struck: readonly FaultReplica[]): string {
  const ids = struck.map(({ id }) => id).join(', ');
  if (fault.kind === 'scale') return `${fault.replicas} replicas are left: ${ids === '' ? 'none goes' : `${ids} go`}`;
  return ids;
}

export function ruleOf(fault: NetworkFault, progress: number): NetworkRule {
  switch (fault.kind) {
    case 'partition':
      return { kind: 'partition', direction: fault.direction };
    case 'delay':
      return {
        kind: 'delay',
        delayMs: strengthAt(fault.delay, progress),
        // A delay that begins at 0 cannot vary by more than itself.
        jitterMs: Math.min(fault.jitterMs, strengthAt(fault.delay, progress)),
      };
    case 'rate':
      return { kind: 'rate', bytesPerSecond: strengthAt(fault.rate, progress) };
    case 'reset':
      return { kind: 'reset', share: strengthAt(fault.reset, progress), seed: fault.atMs };
  }
}

// ---- files of the run ----

function folderOf({ runFolder }: FaultSubject): string {
  if (runFolder === undefined) throw new FaultRefused('the folder of the run is not known');
  return runFolder;
}

function runIdOf(subject: FaultSubject): string {
  return folderOf(subject).split('/').at(-1) ?? '';
}

function topologyOf(runFolder: string): Topology {
  const topology = readTopology(runFolder);
  if (topology === undefined) throw new FaultRefused('the run has no replicas on this machine that could be struck');
  return topology;
}

function noteProcess(runFolder: string, id: string, { pid, startTicks: ticks }: StartedProgram): void {
  const topology = topologyOf(runFolder);
  const replicas = topology.replicas.map(({ startTicks: _, ...replica }) => ({
    ...replica,
    ...(replica.id === id ? { pid, ...(ticks === undefined ? {} : { startTicks: ticks }) } : {}),
    ...(replica.id !== id && _ !== undefined ? { startTicks: _ } : {}),
  }));
  writeTopology(runFolder, { ...topology, replicas });
}

/** Takes what belongs to a fault out of the orders. */
function withdraw(runFolder: string, faultId: string): Orders {
  const orders = readOrders(runFolder) ?? noOrders;
  const next: Orders = {
    version: orders.version + 1,
    rules: orders.rules.filter((one) => one.faultId !== faultId),
    paused: orders.paused.filter((one) => one.faultId !== faultId),
  };
  writeOrders(runFolder, next);
  return next;
}

/** A helper that has lost the lease has undone everything, as empty orders say. */
function follows(state: HelperState | undefined, { version, rules, paused }: Orders): boolean {
  if (state === undefined || !isRunning(state)) return false;
  return state.released ? rules.length + paused.length === 0 : state.version === version;
}

/** Whether a controller conducts the run. */
function isOn(runFolder: string): boolean {
  try {
    return Date.now() - statSync(join(runFolder, 'controller.lease')).mtimeMs < LEASE_STALE_MS;
  } catch {
    return false;
  }
}

function startedProgram({ role, name, pid, startTicks: ticks }: Program): StartedProgram {
  return { role, name, pid, startTicks: ticks };
}

function healthOf(url: string, port = new URL(url).port): string {
  const health = new URL('/healthz', url);
  health.port = port;
  return health.href;
}
