/** What the events of a run say. Their number is bounded: resource use goes to the aggregate instead. */
import type { Clock, Exchange, PinnedProtocol, Registration } from '../../../client-sim/protocol/messages.js';
import type { SlotSet } from '../../../scenarios/schema/allocate.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { EventOf, PinnedRoute, RunEvent, StopReason, Verdict } from '../../log/events.js';
import type { Notice, Place, Registered, Replica, StartedProgram } from '../../platform/platform.js';
import { faultText } from './fault-records.js';
import { keyOf, withOwnIds } from './replica-ids.js';
import type { TruthReading } from './truth.js';

export interface RunFacts {
  created: EventOf<'run.created'> | undefined;
  environment: Readonly<Record<string, unknown>>;
  endpoints: readonly string[];
  /** What servers behind the targets say that they have answered, by source, in order of time. */
  truths: Map<string, TruthReading[]>;
  /** Why a source could not be read. */
  truthProblems: Map<string, string>;
  /** How the gateway was told of the servers behind it. */
  registered: Registered | undefined;
  /** Of each arm, by its name. */
  arms: Readonly<Record<string, readonly string[]>> | undefined;
  /** All replicas that the run ever had. */
  replicas: readonly ReplicaFacts[];
  programs: StartedProgram[];
  preflight:
    | { readonly kind: 'none' }
    | {
        readonly kind: 'passed';
        readonly pinned: PinnedProtocol;
        readonly warnings: readonly string[];
        readonly serverInfo: { readonly name: string; readonly version: string } | undefined;
        readonly exchanges: readonly Exchange[];
        readonly routes: readonly PinnedRoute[] | undefined;
      }
    | { readonly kind: 'failed'; readonly problem: string; readonly exchanges: readonly Exchange[] };
  /** Epoch ms of run time 0. */
  startAt: number | undefined;
  readonly workers: Map<string, WorkerFacts>;
  readonly stagesStarted: Set<number>;
  readonly stops: { readonly reason: StopReason; readonly detail: string; readonly at: string }[];
  readonly broken: EventOf<'threshold.broken'>[];
  readonly adjusted: EventOf<'load.adjusted'>[];
  readonly moved: EventOf<'slots.moved'>[];
  /** Who ended all faults before their time. */
  halted: string | undefined;
  /** When another controller took over, ISO 8601, and for how long nothing had been logged until then. */
  readonly adopted: { readonly at: string; readonly silentMs: number }[];
  /** What happened to the platform, on order or by itself, in the order in which it was seen; at most `mostNotices`. */
  readonly notices: Notice[];
  failed: EventOf<'run.failed'> | undefined;
  finished: Verdict | undefined;
  lastAt: string | undefined;
  /** The events that the report marks on its time axis; at most `mostTimelineEvents`. */
  readonly timelineEvents: TimelineEvent[];
}

interface TimelineEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly type: RunEvent['type'];
  readonly text: string;
}
const mostTimelineEvents = 500;
const mostNotices = 2000;

/**
 * ISO 8601 times at which a replica was first seen (`came`) and first missing (`gone`) in mid-run; undefined when it
 * was there from the start or to the end.
 */
type ReplicaFacts = Replica & { readonly came: string | undefined; readonly gone: string | undefined };

export interface WorkerFacts {
  worker: Registration | undefined;
  place: Place | undefined;
  clock: Clock | undefined;
  /** Slots that it was given at the start or later. */
  slots: SlotSet[];
  /** Run time of its last sign of life, ms. */
  lostAtMs: number | undefined;
  /** Run time at which the controller gave it up, ms. */
  givenUpMs?: number;
  lossPolicy: Plan['onWorkerLoss'] | undefined;
  finished: EventOf<'worker.finished'> | undefined;
}

export function newRunFacts(): RunFacts {
  return {
    created: undefined,
    environment: {},
    endpoints: [],
    truths: new Map(),
    truthProblems: new Map(),
    registered: undefined,
    arms: undefined,
    replicas: [],
    programs: [],
    preflight: { kind: 'none' },
    startAt: undefined,
    workers: new Map(),
    stagesStarted: new Set(),
    stops: [],
    broken: [],
    adjusted: [],
    moved: [],
    adopted: [],
    halted: undefined,
    notices: [],
    failed: undefined,
    finished: undefined,
    lastAt: undefined,
    timelineEvents: [],
  };
}

export function addFact(facts: RunFacts, event: RunEvent): void {
  const before = facts.lastAt;
  facts.lastAt = event.at;
  const text = timelineText(event);
  if (text !== undefined && facts.timelineEvents.length < mostTimelineEvents)
    facts.timelineEvents.push({ at: 'happenedAt' in event ? event.happenedAt : event.at, type: event.type, text });
  switch (event.type) {
    case 'run.created':
      facts.created = event;
      return;
    case 'program.started':
      facts.programs.push(event.program);
      return;
    case 'environment':
      facts.environment = { ...facts.environment, ...event.environment };
      return;
    case 'target.ready':
      facts.endpoints = event.endpoints;
      facts.arms = event.arms;
      facts.replicas = event.replicas.map((replica) => ({ ...replica, came: undefined, gone: undefined }));
      return;
    case 'upstreams.listed':
      facts.registered = event.registered;
      return;
    case 'truth.read': {
      const { source, askedMs, atMs, counts } = event;
      facts.truths.set(source, [...(facts.truths.get(source) ?? []), { askedMs, atMs, counts }]);
      return;
    }
    case 'truth.failed':
      facts.truthProblems.set(event.source, event.problem);
      return;
    case 'noticed':
      if (facts.notices.length < mostNotices) facts.notices.push(event);
      return;
    case 'replicas.changed':
      facts.replicas = changedReplicas(facts.replicas, event.replicas, event.at);
      return;
    case 'worker.registered':
      Object.assign(workerOf(facts, event.workerId), { worker: event.worker, place: event.place });
      return;
    case 'worker.clock':
      workerOf(facts, event.workerId).clock = event.clock;
      return;
    case 'worker.lost': {
      const worker = workerOf(facts, event.workerId);
      worker.lostAtMs = event.lastHeardMs;
      worker.givenUpMs = event.lastHeardMs + event.silentMs;
      worker.lossPolicy = event.policy;
      return;
    }
    case 'worker.finished':
      workerOf(facts, event.workerId).finished = event;
      return;
    case 'preflight.passed':
      facts.preflight = {
        kind: 'passed',
        pinned: event.pinned,
        serverInfo: event.serverInfo,
        exchanges: event.exchanges,
        warnings: event.warnings ?? [],
        routes: event.routes,
      };
      return;
    case 'preflight.failed':
      facts.preflight = { kind: 'failed', problem: event.problem, exchanges: event.exchanges };
      return;
    case 'run.started':
      facts.startAt = event.startAt;
      for (const { workerId, slots } of event.assignments) workerOf(facts, workerId).slots.push(...slots);
      return;
    case 'slots.moved':
      facts.moved.push(event);
      workerOf(facts, event.to).slots.push(...event.slots);
      return;
    case 'stage.started':
      facts.stagesStarted.add(event.stage);
      return;
    case 'load.adjusted':
      facts.adjusted.push(event);
      return;
    case 'threshold.broken':
      facts.broken.push(event);
      return;
    case 'stop.requested':
      facts.stops.push({ reason: event.reason, detail: event.detail, at: event.at });
      return;
    case 'run.adopted':
      facts.adopted.push({ at: event.at, silentMs: Date.parse(event.at) - Date.parse(before ?? event.at) });
      return;
    case 'run.failed':
      facts.failed ??= event;
      return;
    case 'run.finished':
      facts.finished = event.verdict;
      return;
    case 'controller.listening':
    case 'worker.saturated':
    case 'worker.recovered':
    case 'preflight.started':
    case 'run.draining':
    case 'usage':
    case 'fault.started':
    case 'fault.ordered':
    case 'fault.settled':
    case 'fault.followed':
    case 'fault.unwitnessed':
    case 'fault.ended':
    case 'fault.undone':
    case 'fault.failed':
    case 'fault.left':
    case 'run.analysing':
      return;
    case 'faults.halted':
      facts.halted ??= event.by;
      return;
  }
}

function changedReplicas(known: readonly ReplicaFacts[], now: readonly Replica[], at: string): readonly ReplicaFacts[] {
  const present = new Set(now.map(keyOf));
  const before = new Set(known.map(keyOf));
  return [
    ...known.map((replica) => (present.has(keyOf(replica)) ? replica : { ...replica, gone: replica.gone ?? at })),
    ...withOwnIds(known, now)
      .filter((replica) => !before.has(keyOf(replica)))
      .map((replica) => ({ ...replica, came: at, gone: undefined })),
  ];
}

function timelineText(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'worker.saturated':
      return `worker ${event.workerId} is saturated: ${event.reason}`;
    case 'worker.recovered':
      return `worker ${event.workerId} keeps up again`;
    case 'worker.lost':
      return `worker ${event.workerId} was lost (onWorkerLoss: ${event.policy})`;
    case 'slots.moved':
      return `${clientsOf(event.slots)} clients moved from worker ${event.from} to ${event.to}`;
    case 'load.adjusted':
      return `load set to ${Math.round(event.load * 100)} %${detail(' for ', event.profile)}`;
    case 'threshold.broken':
      return `threshold broken: ${event.check} (was ${event.actual})${event.abort ? '; it ends the run' : ''}`;
    case 'stop.requested':
      return `stop (${event.reason}${detail(': ', event.detail)})`;
    case 'run.adopted':
      return 'the controller was restarted and continues the run';
    case 'noticed':
      return event.text;
    case 'run.failed':
      return event.message;
    default:
      return faultText(event);
  }
}

function detail(before: string, text = ''): string {
  return text === '' ? '' : `${before}${text}`;
}

function workerOf(facts: RunFacts, workerId: string): WorkerFacts {
  const known = facts.workers.get(workerId);
  if (known !== undefined) return known;
  const worker: WorkerFacts = {
    worker: undefined,
    place: undefined,
    clock: undefined,
    slots: [],
    lostAtMs: undefined,
    lossPolicy: undefined,
    finished: undefined,
  };
  facts.workers.set(workerId, worker);
  return worker;
}

/** The number of virtual clients in these slots. */
export function clientsOf(slots: readonly SlotSet[]): number {
  return slots.reduce((sum, { count }) => sum + count, 0);
}
