import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import type { StopMode } from '../engine/engine.js';
import type { ClientRef } from '../engine/population.js';
import type { Pacing } from '../load/pacer.js';
import type { Snapshot } from '../measure/snapshot.js';
import type { IdRange } from '../protocol/id-ranges.js';
import type { AdjustOrder, Endpoint, PinnedProtocol } from '../protocol/messages.js';

/** Messages between the worker's main thread and an engine thread. Both are of one build, so nothing is validated. */

export type ToThread =
  /** The first message; all others follow it. */
  | { readonly kind: 'start'; readonly spec: ThreadSpec }
  /** The run starts then, on the clock of `process.hrtime`, and not when the `start` message said. */
  | { readonly kind: 'begin'; readonly startHrMs: number }
  | { readonly kind: 'add'; readonly clients: readonly ClientRef[]; readonly joinMs: number }
  | { readonly kind: 'adjust'; readonly order: AdjustOrder }
  | { readonly kind: 'stop'; readonly mode: StopMode };

export type FromThread =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'limit'; readonly problem: string }
  /** Every session that was to open before the start has been tried. */
  | { readonly kind: 'opened' }
  /** A line for the worker's log. */
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'finished'; readonly snapshot: Snapshot };

/** All that an engine thread needs to know about its run. */
export interface ThreadSpec {
  readonly plan: WorkerPlan;
  /** By profile. */
  readonly routes: readonly ProfileRoute[];
  readonly clients: readonly ClientRef[];
  readonly joinMs: number;
  /** For its requests. */
  readonly ids: IdRange;
  /** Start of the run on the clock of `process.hrtime`, which all threads share, in milliseconds. */
  readonly startHrMs: number;
  /** Sessions of the first stage open before that. */
  readonly openFirst: boolean;
  /** How far that may differ from the controller's start, milliseconds. */
  readonly clockErrorMs: number;
  readonly limits: { readonly ratePerSecond: number; readonly bytes: number };
  readonly pacing: Pacing;
  /** Shared numbers of the metronome, for pacing `metronome` only. */
  readonly ticks: SharedArrayBuffer | undefined;
  /** Of this thread among those of the run, from 0. */
  readonly number: number;
}

/** How one profile reaches the target. */
export interface ProfileRoute {
  readonly endpoints: readonly Endpoint[];
  readonly pinned: PinnedProtocol;
}

/** Milliseconds on the clock that all threads of a process share. */
export function hrNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
