/**
 * What happened to the platform while the load was on, with its effect: a fold of the notices. Pure.
 */
import type { Notice, NoticeKind } from '../../platform/platform.js';
import { faultBehind } from '../facts/fault-records.js';
import type { RunFacts } from '../facts/run-facts.js';
import type { Aggregate } from '../merge/aggregate.js';
import type { Second } from '../merge/timeline.js';

export interface Incident extends Notice {
  /** Run time; negative before the load. */
  readonly atMs: number;
  /** When it was over: the pause, the absence. Undefined when it was not, or has no duration. */
  readonly untilMs: number | undefined;
  /** Id of the fault that caused it; undefined: nobody of this run ordered it. */
  readonly fault: string | undefined;
  /** Operations that failed or were lost from its beginning to a moment after its end. */
  readonly failedDuring: number;
}

/** Its end, by the kind of notice that tells it. */
const ENDS: Partial<Readonly<Record<NoticeKind, NoticeKind>>> = {
  'task-died': 'task-started',
  'task-stopped': 'task-started',
  'task-paused': 'task-resumed',
  'node-down': 'node-back',
  'node-silent': 'node-heard',
  'server-out': 'server-back',
  'update-started': 'update-ended',
};
/** Requests that were on their way fail a little later. */
const AFTERMATH_MS = 3_000;

/** In order of time. */
export function incidentsOf(
  facts: RunFacts,
  aggregate: Pick<Aggregate, 'faults' | 'timeline' | 'lastMs'>,
): readonly Incident[] {
  const { startAt } = facts;
  if (startAt === undefined || facts.notices.length === 0) return [];
  const timeline = aggregate.timeline();
  const timed = facts.notices
    .map((notice) => ({ notice, atMs: Date.parse(notice.happenedAt) - startAt }))
    .toSorted((a, b) => a.atMs - b.atMs);
  return timed.map(({ notice, atMs }, index) => {
    const end = timed
      .slice(index + 1)
      .find(({ notice: later }) => later.what === ENDS[notice.what] && later.subject === notice.subject);
    return {
      ...notice,
      atMs,
      untilMs: end?.atMs,
      fault: faultBehind(notice, atMs, aggregate.faults(), facts.created?.plan.faults ?? [])?.id,
      failedDuring: failedBetween(timeline, atMs, (end?.atMs ?? atMs) + AFTERMATH_MS),
    };
  });
}

function failedBetween(timeline: readonly Second[], fromMs: number, toMs: number): number {
  return timeline
    .filter(({ t }) => t >= Math.floor(fromMs / 1000) && t * 1000 < toMs)
    .reduce((sum, { failed, lost }) => sum + failed + lost, 0);
}

/** Worth a note beside the verdict when nobody ordered it. What follows from it is in the events. */
const NOTED: readonly NoticeKind[] = [
  'task-died',
  'task-out-of-memory',
  'task-unhealthy',
  'task-paused',
  'service-changed',
  'update-started',
  'update-ended',
  'node-down',
  'node-silent',
  'node-changed',
  'server-out',
];
const MOST_NOTES = 20;

/** Sentences, in order of time; what happened to a subject again and again is one of them. */
export function incidentNotes(incidents: readonly Incident[]): readonly string[] {
  const groups = new Map<string, Incident[]>();
  for (const incident of incidents) {
    const isConsequence = incident.what === 'server-out' && incident.text.endsWith('it left DNS');
    const isPlain = incident.what === 'update-ended' && incident.text.endsWith('is complete');
    if (incident.fault !== undefined || !NOTED.includes(incident.what) || isConsequence || isPlain) continue;
    const key = `${incident.what} ${incident.subject} ${incident.text}`;
    groups.set(key, [...(groups.get(key) ?? []), incident]);
  }
  const notes = [...groups.values()].map(noteOf);
  const left = notes.length - MOST_NOTES;
  return left <= 0 ? notes : [...notes.slice(0, MOST_NOTES), `${left} more notes are in the events`];
}

function noteOf(group: readonly Incident[]): string {
  const [first] = group;
  const last = group.at(-1);
  if (first === undefined || last === undefined) return '';
  const failed = group.reduce((sum, { failedDuring }) => sum + failedDuring, 0);
  const effect = failed === 0 ? '' : ` (${failed} operations failed meanwhile)`;
  if (group.length > 1)
    return `${first.text}: ${group.length} times, from ${at(first.atMs)} to ${at(last.untilMs ?? last.atMs)}${effect}`;
  const until = first.untilMs === undefined ? '' : `, for ${at(first.untilMs - first.atMs)}`;
  return `at ${at(first.atMs)}${until}: ${first.text}${effect}`;
}

function at(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
