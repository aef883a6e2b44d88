import type { Problem } from '../../mcp/judge-message.js';
import { scanAnswer } from '../../mcp/scan-answer.js';
import type { Failure } from '../../measure/failure.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { FailedAnswer } from '../failure-maker.js';
import type { BrokenCall } from '../http/broken-call.js';
import type { WireShared } from '../shared.js';
import { CallResumption, type ResumptionHost } from '../stream/call-resumption.js';

export interface ResumingSession extends ResumptionHost {
  readonly memory: EndpointMemory;
  failureOf(call: BrokenCall, problem: Problem, answer: FailedAnswer | undefined): Failure;
  onTicket(ticket: number, nowMs: number, failure: Failure | undefined, replica: number): void;
}

interface Waiting {
  readonly call: BrokenCall;
  readonly resumption: CallResumption;
}

/** Calls of one session whose streams broke off, each waited for on a stream of its own. */
export class ResumedCalls {
  /** By ticket. */
  private readonly waiting = new Map<number, Waiting>();

  constructor(
    private readonly session: ResumingSession,
    private readonly shared: WireShared,
    private readonly readBytesPerSecond: number | undefined,
  ) {}

  take(call: BrokenCall): void {
    const { session, shared } = this;
    const resumption = new CallResumption(session, shared, call, this.readBytesPerSecond, (outcome) => {
      this.waiting.delete(call.ticket);
      if (outcome.kind === 'lost')
        return session.onTicket(call.ticket, shared.now(), session.failureOf(call, outcome.problem, undefined), 0);
      const { bytes, start, end, head } = outcome;
      const problem = scanAnswer(
        bytes,
        start,
        end,
        call.id,
        session.memory.turn++,
        session.memory.templates[call.template]?.expectation,
      );
      const failure =
        problem === undefined
          ? undefined
          : session.failureOf(call, problem, { head, body: () => bytes.toString('utf8', start, end) });
      session.onTicket(call.ticket, outcome.nowMs, failure, outcome.replica);
    });
    this.waiting.set(call.ticket, { call, resumption });
  }

  /** Nobody waits for this ticket any more. @returns the id of its request; -1: it is not here */
  abandon(ticket: number): number {
    const found = this.waiting.get(ticket);
    if (found === undefined) return -1;
    this.waiting.delete(ticket);
    found.resumption.cut();
    return found.call.id;
  }

  /** Ends them all. @param problem what their tickets are answered with; undefined: not at all */
  cut(problem?: Problem, reset = false): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { resumption } of all) resumption.cut(reset);
    if (problem === undefined) return;
    for (const { call } of all)
      this.session.onTicket(call.ticket, this.shared.now(), this.session.failureOf(call, problem, undefined), 0);
  }
}
