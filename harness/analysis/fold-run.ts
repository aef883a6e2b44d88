import type { Plan } from '../../scenarios/schema/plan.js';
import type { RunEvent, TelemetryLine, Verdict } from '../log/events.js';
import { type FaultEvent, isFaultEvent } from './facts/fault-counters.js';
import { addFact, newRunFacts, type RunFacts } from './facts/run-facts.js';
import { SequenceSet } from './facts/sequence-set.js';
import { exitCodeOf, type RunExitCode } from './judge/exit-code.js';
import { judge } from './judge/verdict.js';
import { createAggregate } from './merge/aggregate.js';
import type { Aggregate } from './merge/contract.js';

/** Everything a report is made of. */
export interface RunModel {
  readonly plan: Plan;
  readonly facts: RunFacts;
  readonly aggregate: Aggregate;
  readonly verdict: Verdict;
  readonly exitCode: RunExitCode;
  /**
   * Lines that could not be used, in words: a torn last line, a broken histogram. Duplicates are no problem and not
   * here.
   */
  readonly problems: readonly string[];
}

/** Folds a log line by line, so that it need not fit into memory. All events come before the first telemetry line. */
export interface RunFold {
  event(event: RunEvent): void;
  telemetry(line: TelemetryLine): void;
  problem(text: string): void;
  /** @throws NoPlanError */
  model(): RunModel;
}

/** No `run.created` event was among the events, so there is nothing to judge by. */
class NoPlanError extends Error {
  readonly code = 'report.no-plan';
  constructor() {
    super('the event log holds no run.created event, so there is no plan to report on');
  }
}

export function createFold(): RunFold {
  const facts = newRunFacts();
  const problems: string[] = [];
  const seen = new Map<string, SequenceSet>();
  const usage: Extract<RunEvent, { type: 'usage' }>[] = [];
  const faults: FaultEvent[] = [];
  /** The few events that decide an exit code. */
  const decisive: RunEvent[] = [];
  let aggregate: Aggregate | undefined;

  const ensureAggregate = (): Aggregate => {
    if (facts.created === undefined) throw new NoPlanError();
    aggregate ??= createAggregate(facts.created.plan);
    for (const { atMs, samples } of usage.splice(0)) aggregate.addUsage(atMs, samples);
    for (const event of faults.splice(0)) aggregate.addFault(event, Date.parse(event.at) - (facts.startAt ?? 0));
    return aggregate;
  };

  return {
    event(event) {
      addFact(facts, event);
      if (event.type === 'usage') usage.push(event);
      if (isFaultEvent(event)) faults.push(event);
      if (event.type === 'stop.requested' || event.type === 'preflight.failed' || event.type === 'run.failed')
        decisive.push(event);
      if (facts.created !== undefined) ensureAggregate();
      if (event.type === 'target.ready' || event.type === 'replicas.changed')
        aggregate?.registerReplicas(event.replicas);
    },
    telemetry({ workerId, batch }) {
      const sequences = seen.get(workerId) ?? new SequenceSet();
      seen.set(workerId, sequences);
      if (!sequences.add(batch.sequence)) return;
      try {
        ensureAggregate().add(workerId, batch);
      } catch (error) {
        problems.push(
          `telemetry batch ${batch.sequence} of worker ${workerId} is unreadable: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
    problem(text) {
      problems.push(text);
    },
    model() {
      const merged = ensureAggregate();
      const plan = facts.created?.plan;
      if (plan === undefined) throw new NoPlanError();
      const judged = judge(plan, facts, merged);
      // A log that could not be written to does not tell of it; only the verdict at its end may.
      const verdict = facts.finished?.kind === 'incomplete' && judged.kind !== 'incomplete' ? facts.finished : judged;
      return { plan, facts, aggregate: merged, verdict, exitCode: exitCodeOf(verdict, decisive), problems };
    },
  };
}

/** The same over a log in memory. */
export function foldRun(events: Iterable<RunEvent>, lines: Iterable<TelemetryLine>): RunModel {
  const fold = createFold();
  for (const event of events) fold.event(event);
  for (const line of lines) fold.telemetry(line);
  return fold.model();
}
