/** What a plan asks for: the load at a moment, the operations that come due, and the connections that it makes. */
import type { LoadSegment, Plan, ProfilePlan, StagePlan } from './plan.js';
import { factsOf } from './transports.js';

/**
 * The load of a stage at a time from the start of the run; 1 is 100 %. Where two segments meet, the later one counts.
 * Outside the stage it is 0.
 */
export function loadAt(stage: StagePlan, tMs: number): number {
  const endMs = stage.startMs + stage.durationMs;
  if (tMs < stage.startMs || tMs > endMs) return 0;
  const segment = stage.segments.findLast((candidate) => tMs >= candidate.startMs);
  if (segment === undefined) return 0;
  const share = segment.endMs === segment.startMs ? 1 : (tMs - segment.startMs) / (segment.endMs - segment.startMs);
  return segment.from + (segment.to - segment.from) * Math.min(share, 1);
}

/** Client k (from 0) of `clients` is active while load x clients > k, so any load above 0 has at least one. */
export function activeClients(load: number, clients: number): number {
  // 0.1 x 30 is a little more than 3 in binary; that is not a fourth client.
  return Math.min(clients, Math.max(0, Math.ceil(load * clients - 1e-9)));
}

/** The highest load of a stage. */
export function peakLoad(stage: StagePlan): number {
  return Math.max(...stage.segments.map((segment) => Math.max(segment.from, segment.to)));
}

export function totalDurationMs(plan: Pick<Plan, 'stages'>): number {
  const last = plan.stages.at(-1);
  return last === undefined ? 0 : last.startMs + last.durationMs;
}

/** Whether this profile takes part in the stage. */
export function takesPart(stage: Pick<StagePlan, 'profiles'>, profile: string): boolean {
  return stage.profiles?.includes(profile) ?? true;
}

interface ExpectedOperations {
  /** Index of the stage. */
  readonly stage: number;
  readonly profile: string;
  /** The exact integral of the offered rate; undefined in a closed loop, where the target decides. */
  readonly operations: number | undefined;
}

export function expectedOperations(plan: Pick<Plan, 'stages' | 'profiles'>): readonly ExpectedOperations[] {
  return plan.stages.flatMap((stage) =>
    plan.profiles.map((profile) => ({
      stage: stage.index,
      profile: profile.name,
      operations: offeredIn(stage, profile),
    })),
  );
}

/** The most operations a second that a profile offers in a stage; undefined in a closed loop without think time. */
export function peakRate(stage: StagePlan, profile: ProfilePlan): number | undefined {
  if (!takesPart(stage, profile.name)) return 0;
  const load = peakLoad(stage);
  const { arrivals } = profile;
  if (arrivals.model === 'open') {
    const clients = stage.scale === 'clients' ? activeClients(load, profile.clients) : profile.clients;
    return clients * arrivals.ratePerSecond * (stage.scale === 'rate' ? load : 1);
  }
  if (arrivals.model === 'none') return 0;
  const meanMs = meanThinkTimeMs(arrivals.thinkTime);
  return meanMs === 0 ? undefined : (activeClients(load, profile.clients) * profile.maxInFlight * 1000) / meanMs;
}

function meanThinkTimeMs(thinkTime: Extract<ProfilePlan['arrivals'], { model: 'closed' }>['thinkTime']): number {
  switch (thinkTime.kind) {
    case 'none':
      return 0;
    case 'fixed':
      return thinkTime.ms;
    case 'uniform':
      return (thinkTime.minMs + thinkTime.maxMs) / 2;
    case 'exponential':
      return thinkTime.meanMs;
  }
}

function offeredIn(stage: StagePlan, profile: ProfilePlan): number | undefined {
  if (!takesPart(stage, profile.name)) return 0;
  if (profile.arrivals.model === 'closed') return undefined;
  if (profile.arrivals.model === 'none') return 0;
  const perMs = profile.arrivals.ratePerSecond / 1000;
  const clientMs = stage.segments.map((segment) =>
    stage.scale === 'rate' ? profile.clients * area(segment) : activeMs(segment, profile.clients),
  );
  return perMs * clientMs.reduce((sum, ms) => sum + ms, 0);
}

function area(segment: LoadSegment): number {
  return ((segment.from + segment.to) / 2) * (segment.endMs - segment.startMs);
}

/** Sum over clients of the time each is active: client k while load(t) x clients > k. */
function activeMs(segment: LoadSegment, clients: number): number {
  const length = segment.endMs - segment.startMs;
  const low = Math.min(segment.from, segment.to);
  const high = Math.max(segment.from, segment.to);
  if (low === high) return activeClients(low, clients) * length;
  // Client k is active for the share (high - k / clients) / (high - low) of the segment, at most for all of it. Summed
  // without a loop: there may be millions of clients.
  const some = Math.ceil(Math.min(clients, high * clients));
  const always = Math.min(some, Math.floor(low * clients) + 1);
  const sumOfRest = ((always + some - 1) / 2) * (some - always);
  return (always + ((some - always) * high - sumOfRest / clients) / (high - low)) * length;
}

/**
 * This many connections to one address and port are cheap. Linux has 28,232 local ports for them and hands out every
 * other one first. Once those are taken, each connect walks past all of them, which costs 0.9 ms of processor time in
 * place of 0.05 ms (measured).
 */
export const CHEAP_CONNECTIONS = 14_000;

/** The profiles whose clients can be active at once: of several arms those of the one with most connections. */
export function activeTogether(profiles: readonly ProfilePlan[]): readonly ProfilePlan[] {
  const arms = [...new Set(profiles.map(({ arm }) => arm))].map((name) => profiles.filter(({ arm }) => arm === name));
  const [first = [], ...others] = arms;
  return others.reduce((most, arm) => (connectionsOfAll(arm) > connectionsOfAll(most) ? arm : most), first);
}

/** The most connections at once. */
export function connectionsIn(profiles: readonly ProfilePlan[]): number {
  return connectionsOfAll(activeTogether(profiles));
}

function connectionsOfAll(profiles: readonly ProfilePlan[]): number {
  return profiles.reduce((sum, profile) => sum + sessionsOf(profile) * connectionsPerSession(profile), 0);
}

/** A server that the session starts has no connections. A stream is a connection beside the others. */
export function connectionsPerSession({ transport, connections, stream }: ProfilePlan): number {
  return factsOf(transport).ownServer ? 0 : connections + (stream === undefined ? 0 : 1);
}

/** One session for each client, unless clients share sessions. */
function sessionsOf({ session, clients }: ProfilePlan): number {
  return session.mode === 'pool' ? Math.min(session.size, clients) : clients;
}
