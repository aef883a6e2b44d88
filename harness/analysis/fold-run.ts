import { type SettledOperation, withEveryTool } from '../../client-sim/protocol/settled-operation.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import type { RunEvent, TelemetryLine, Verdict } from '../log/events.js';
import { messageOf } from '../support/error-message.js';
import { addFact, newRunFacts, type RunFacts } from './facts/run-facts.js';
import { SequenceSet } from './facts/worker-counters.js';
import { exitCodeOf, type RunExitCode } from './judge/exit-code.js';
import { judge } from './judge/verdict.js';
import { type Aggregate, RunAggregate } from './merge/aggregate.js';

/** Everything a report is made of. */
export interface RunModel {
  readonly plan: Plan;
  readonly facts: RunFacts;
  readonly aggregate: Aggregate;
  readonly verdict: Verdict;
  readonly exitCode: RunExitCode;
  /** Why lines of the log could not be used: damage, a broken histogram. Repeated batches are not among them. */
  readonly problems: readonly string[];
}

/** No `run.created` event was among the events, so there is nothing to judge by. */
class NoPlanError extends Error {
  readonly code = 'report.no-plan';
  constructor() {
    super('the event log holds no run.created event, so there is no plan to report on');
  }
}

/** Folds a log line by line, so that it need not fit into memory. All events come before the first telemetry line. */
export class RunFold {
  private readonly facts = newRunFacts();
  private readonly problems: string[] = [];
  private readonly sequences = new Map<string, SequenceSet>();
  /** The few events that decide an exit code. */
  private readonly decisive: RunEvent[] = [];
  private aggregate: RunAggregate | undefined;
  /** What the preflight found out about operations. */
  private settled: readonly SettledOperation[] = [];

  event(event: RunEvent): void {
    addFact(this.facts, event);
    if (event.type === 'run.created') this.aggregate = new RunAggregate(event.plan, []);
    if (event.type === 'stop.requested' || event.type === 'preflight.failed' || event.type === 'run.failed')
      this.decisive.push(event);
    if (event.type === 'preflight.passed') this.settled = event.settledOperations ?? [];
    this.aggregate?.addEvent(event, this.facts.startAt);
  }

  /** @throws NoPlanError */
  telemetry({ workerId, batch }: TelemetryLine): void {
    const sequences = this.sequences.get(workerId) ?? new SequenceSet();
    this.sequences.set(workerId, sequences);
    if (!sequences.add(batch.sequence)) return;
    if (this.aggregate === undefined) throw new NoPlanError();
    try {
      this.aggregate.add(workerId, batch);
    } catch (error) {
      this.problems.push(`telemetry batch ${batch.sequence} of worker ${workerId} is unreadable: ${messageOf(error)}`);
    }
  }

  problem(text: string): void {
    this.problems.push(text);
  }

  /** @throws NoPlanError */
  model(): RunModel {
    const { facts, aggregate, problems } = this;
    const created = facts.created?.plan;
    if (created === undefined || aggregate === undefined) throw new NoPlanError();
    const plan = { ...created, profiles: withEveryTool(created.profiles, this.settled) };
    const judged = judge(plan, facts, aggregate);
    // A log that could not be written does not say so itself; only the verdict at its end does.
    const verdict = facts.finished?.kind === 'incomplete' && judged.kind !== 'incomplete' ? facts.finished : judged;
    return { plan, facts, aggregate, verdict, exitCode: exitCodeOf(verdict, this.decisive), problems };
  }
}
