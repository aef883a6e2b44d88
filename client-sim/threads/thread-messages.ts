import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import type { StopMode } from '../engine/engine.js';
import type { Pacing } from '../load/pacer.js';
import type { Snapshot } from '../measure/snapshot.js';
import type { AdjustOrder, Endpoint, PinnedProtocol } from '../protocol/messages.js';
import type { ClientPlace } from './divide-clients.js';

/** How one profile reaches the target. */
export interface ProfileRoute {
  readonly endpoints: readonly Endpoint[];
  readonly pinned: PinnedProtocol;
}

/** What crosses the border between the worker's main thread and an engine thread; both ends are of one build. */
export interface ThreadSpec {
  readonly plan: WorkerPlan;
  /** By profile. */
  readonly routes: readonly ProfileRoute[];
  readonly places: readonly ClientPlace[];
  readonly joinMs: number;
  /** Start of the run on the clock of `process.hrtime`, which all threads share, in milliseconds. */
  readonly startHrMs: number;
  /** How far that may be off the controller's start, milliseconds. */
  readonly clockErrorMs: number;
  readonly limits: { readonly ratePerSecond: number; readonly bytes: number };
  readonly pacing: Pacing;
  /** Counter of the metronome; with `pacing: metronome` only. */
  readonly ticks: SharedArrayBuffer | undefined;
}

export type ToThread =
  /** The first message; all others follow it. */
  | { readonly kind: 'start'; readonly spec: ThreadSpec }
  | { readonly kind: 'add'; readonly places: readonly ClientPlace[]; readonly joinMs: number }
  | { readonly kind: 'adjust'; readonly order: AdjustOrder }
  | { readonly kind: 'stop'; readonly mode: StopMode };

export type FromThread =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'limit'; readonly problem: string }
  | { readonly kind: 'finished'; readonly snapshot: Snapshot };

/** Milliseconds on the clock that all threads of a process share. */
export function hrNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
