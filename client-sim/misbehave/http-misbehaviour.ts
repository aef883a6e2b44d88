import type { Problem } from '../mcp/judge-message.js';
import type { Failure } from '../measure/failure.js';
import type { ChannelConfig } from '../transport/channel.js';
import type { ControlOutcome } from '../transport/control.js';
import type { EndpointMemory } from '../transport/endpoint-memory.js';
import { judgeControl } from '../transport/handshake.js';
import { Connection, type ConnectionOwner } from '../transport/http/connection.js';
import { clip, redact, requestText, responseText } from '../transport/sample.js';
import type { WireShared } from '../transport/shared.js';
import { type Pace, paceOf } from '../transport/socket/pace.js';
import { type Forged, forge, type Proper } from './forge-request.js';
import type { Misbehaviour } from './misbehaving-channel.js';
import { leftWhenSent, type MisbehaviourKind } from './misbehaviour-kind.js';

/**
 * So little of an answer is read before it is cut: no answer to a request is shorter. Reads are short, and soon follow
 * each other.
 */
export const MID_ANSWER_PACE: Pace = { readBytesPerSecond: 64_000, readPieceBytes: 64 };

interface HttpMisbehaviourOptions {
  readonly misbehaviourKind: MisbehaviourKind;
  readonly proper: Proper;
  readonly config: ChannelConfig;
  readonly memory: EndpointMemory;
  readonly shared: WireShared;
  /** Called once, never within `begin`. Undefined: the server answered with a result, as if nothing were wrong. */
  readonly done: (failure: Failure | undefined) => void;
}

/**
 * One misdeed on a connection of its own, which nothing else needs: what the server does about it is all that is asked.
 */
export class HttpMisbehaviour implements Misbehaviour, ConnectionOwner {
  readonly era: 'legacy' | 'modern';
  readonly memory: EndpointMemory;
  // A 404 is the server's word on this request; whether the session lives is for proper requests to find out.
  readonly hasSession = false;
  private readonly connection: Connection;
  private readonly forged: Forged;
  private readonly outcomes: (Failure | undefined)[] = [];
  private over = false;

  constructor(private readonly options: HttpMisbehaviourOptions) {
    const { misbehaviourKind, proper, config, memory, shared } = options;
    this.era = proper.era;
    this.memory = memory;
    this.forged = forge(misbehaviourKind, proper, config.malformed?.oversizeBytes ?? 0);
    const pace = misbehaviourKind === 'abort/mid-answer' ? MID_ANSWER_PACE : paceOf(config);
    const address = config.abort?.how === 'reset' ? { ...memory.address, resettable: true } : memory.address;
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
    this.connection.cut(false);
  }

  onUp(): void {
    // What is flushed when this returns has reached the kernel by the next turn of the loop.
    const when = leftWhenSent(this.options.misbehaviourKind);
    if (when !== undefined) setImmediate(() => this.closedByUs(when));
  }

  onReadOver(): void {
    if (this.options.misbehaviourKind === 'abort/mid-answer') this.closedByUs('after the first bytes of its answer');
  }

  describe(problem: Problem): Failure {
    return problem;
  }

  onDown(): void {}
  onTicket(): void {}
  onRoom(): void {}
  onServerRequest(): void {}
  onReadStart(): void {}
  onSetCookie(): void {}

  private closedByUs(when: string): void {
    this.end({ category: 'aborted_by_us', detail: `the connection of this request was closed on purpose ${when}` });
  }

  private answered(outcome: ControlOutcome): void {
    this.outcomes.push(this.judge(outcome));
    if (this.outcomes.length < this.forged.requests.length) return;
    // Of two requests with one id the server may refuse either.
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
    this.connection.cut(failure?.category === 'aborted_by_us' && this.options.config.abort?.how === 'reset');
    this.options.done(failure);
  }
}
