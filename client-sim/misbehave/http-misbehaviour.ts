import type { Failure, Problem } from '../measure/failure.js';
import type { ChannelConfig } from '../transport/channel.js';
import type { ControlOutcome } from '../transport/control.js';
import type { EndpointMemory } from '../transport/endpoint-memory.js';
import { judgeControl } from '../transport/handshake.js';
import { Connection, type ConnectionOwner } from '../transport/http/connection.js';
import { clip, redact, requestText, responseText } from '../transport/sample.js';
import type { ProfileShared } from '../transport/shared.js';
import { paceOf } from '../transport/socket/pace.js';
import { resettableIf } from '../transport/socket/socket.js';
import { type ForgedRequests, forgeRequest, type ProperRequest } from './forge-request.js';
import {
  CLOSED_WITHIN_ANSWER,
  closedAfterSending,
  closedOnPurpose,
  MID_ANSWER_PACE,
  type Misbehaviour,
  type MisbehaviourOptions,
} from './misbehaviour.js';

interface HttpMisbehaviourOptions extends Pick<MisbehaviourOptions, 'misbehaviourKind' | 'done'> {
  readonly proper: ProperRequest;
  readonly config: ChannelConfig;
  readonly memory: EndpointMemory;
  readonly shared: ProfileShared;
}

/** One operation that misbehaves on a connection of its own; it reports how the server reacts. */
export class HttpMisbehaviour implements Misbehaviour, ConnectionOwner {
  readonly era: 'legacy' | 'modern';
  readonly memory: EndpointMemory;
  // A 404 refuses this request; only proper requests decide whether the session is lost.
  readonly hasSession = false;
  private readonly connection: Connection;
  private readonly forged: ForgedRequests;
  private readonly outcomes: (Failure | undefined)[] = [];
  private over = false;

  constructor(private readonly options: HttpMisbehaviourOptions) {
    const { misbehaviourKind, proper, config, memory, shared } = options;
    this.era = proper.era;
    this.memory = memory;
    this.forged = forgeRequest(misbehaviourKind, proper, config.malformed?.oversizeBytes ?? 0);
    const pace = misbehaviourKind === 'abort/mid-answer' ? MID_ANSWER_PACE : paceOf(config);
    const address = resettableIf(config.abort?.how === 'reset', memory.address);
    this.connection = new Connection(this, shared, address, this.forged.requests.length, pace);
  }

  begin(): void {
    for (const request of this.forged.requests) {
      this.options.shared.counters.messagesSent++;
      this.connection.sendControl(request, { id: this.options.proper.id, done: (outcome) => this.answered(outcome) });
    }
    this.connection.flush();
  }

  cancel(): void {
    this.over = true;
    this.connection.destroy(false);
  }

  onUp(): void {
    // Bytes flushed when this returns have reached the kernel by the next turn of the loop.
    const when = closedAfterSending(this.options.misbehaviourKind);
    if (when !== undefined) setImmediate(() => this.end(closedOnPurpose(when)));
  }

  onReadEnd(): void {
    if (this.options.misbehaviourKind === 'abort/mid-answer') this.end(closedOnPurpose(CLOSED_WITHIN_ANSWER));
  }

  toFailure(problem: Problem): Failure {
    return problem;
  }

  onDown(): void {}
  onOutcome(): void {}
  onRoom(): void {}
  onServerRequest(): void {}
  onReadStart(): void {}
  onSetCookie(): void {}

  private answered(outcome: ControlOutcome): void {
    this.outcomes.push(this.judge(outcome));
    if (this.outcomes.length < this.forged.requests.length) return;
    // The server may refuse either of two requests with one id.
    this.end(this.outcomes.find((failure) => failure !== undefined));
  }

  private judge(outcome: ControlOutcome): Failure | undefined {
    const { misbehaviourKind, proper } = this.options;
    const { endpoint, era, kind, id } = proper;
    const problem = outcome.kind === 'failed' ? outcome.failure : judgeControl(outcome.answer, id, era);
    if (problem === undefined) return undefined;
    const request = clip(redact(requestText(endpoint, era, kind, this.forged.body.slice(0, 2048)), endpoint));
    const response =
      outcome.kind === 'failed'
        ? '(no answer)'
        : clip(redact(responseText(outcome.answer, outcome.answer.body), endpoint));
    return {
      category: problem.category,
      detail: `${misbehaviourKind}: ${redact(problem.detail, endpoint)}`,
      sample: { request, response },
    };
  }

  private end(failure: Failure | undefined): void {
    if (this.over) return;
    this.over = true;
    this.connection.destroy(failure?.category === 'aborted_by_us' && this.options.config.abort?.how === 'reset');
    this.options.done(failure);
  }
}
