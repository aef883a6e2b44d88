import type { Failure } from '../measure/failure.js';
import type { Problem } from '../mcp/judge-message.js';
import { judgeControl } from '../transport/handshake.js';
import type { EndpointMemory } from '../transport/endpoint-memory.js';
import { Connection } from '../transport/http/connection.js';
import type { ConnectionOwner } from '../transport/http/connection-owner.js';
import type { ControlOutcome } from '../transport/http/control.js';
import type { Pace } from '../transport/http/pace.js';
import { clip, redact, requestText, responseText } from '../transport/sample.js';
import type { WireShared } from '../transport/shared.js';
import type { Deed } from './deed.js';
import { forge, type Forged, type Proper } from './forge.js';

/** So little of an answer is read before it is cut: no HTTP answer to a request is shorter than its head. */
const MID_ANSWER_BYTES = 64;
/** Reads so far apart that the second never comes first. */
const MID_ANSWER_PACE: Pace = { readBytesPerSecond: MID_ANSWER_BYTES * 10 };

export interface OffenceOptions {
  readonly deed: Deed;
  readonly proper: Proper;
  readonly oversizeBytes: number;
  readonly pace: Pace;
  readonly memory: EndpointMemory;
  readonly shared: WireShared;
  /** Called once, never within `begin`. Undefined: the server answered with a result, as if nothing were wrong. */
  readonly done: (failure: Failure | undefined) => void;
}

/** One misdeed on a connection of its own, which nothing else needs: what the server does about it is all that is asked. */
export class Offence implements ConnectionOwner {
  readonly era: 'legacy' | 'modern';
  readonly memory: EndpointMemory;
  // A 404 is the server's word on this request; whether the session lives is for proper requests to find out.
  readonly hasSession = false;
  readonly #options: OffenceOptions;
  readonly #connection: Connection;
  readonly #forged: Forged;
  readonly #outcomes: (Failure | undefined)[] = [];
  #over = false;

  constructor(options: OffenceOptions) {
    const { deed, proper, oversizeBytes, memory, shared, pace } = options;
    this.#options = options;
    this.era = proper.era;
    this.memory = memory;
    this.#forged = forge(deed, proper, oversizeBytes);
    const chosen = deed === 'abort/mid-answer' ? { ...pace, ...MID_ANSWER_PACE } : pace;
    this.#connection = new Connection(this, shared, memory.address, this.#forged.requests.length, chosen);
  }

  begin(): void {
    for (const request of this.#forged.requests) {
      this.#options.shared.counters.messagesSent++;
      this.#connection.sendControl(request, { id: this.#forged.id, done: (outcome) => this.#answered(outcome) });
    }
    this.#connection.flush();
  }

  /** Nobody waits for it any more; `done` is not called. */
  cancel(): void {
    this.#over = true;
    this.#connection.cut(false);
  }

  onUp(): void {
    // What is flushed when this returns has reached the kernel by the next turn of the loop.
    if (this.#options.deed === 'abort/after-request') setImmediate(() => this.#closedByUs('when it was sent'));
  }

  onReadOver(): void {
    if (this.#options.deed === 'abort/mid-answer') this.#closedByUs('after the first bytes of its answer');
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

  #closedByUs(when: string): void {
    this.#end({ category: 'aborted_by_us', detail: `the connection of this request was closed on purpose ${when}` });
  }

  #answered(outcome: ControlOutcome): void {
    this.#outcomes.push(this.#judge(outcome));
    if (this.#outcomes.length < this.#forged.requests.length) return;
    // Of two requests with one id the server may refuse either.
    this.#end(this.#outcomes.find((failure) => failure !== undefined));
  }

  #judge(outcome: ControlOutcome): Failure | undefined {
    const { deed, proper } = this.#options;
    const { endpoint, era, kind, id } = proper;
    const problem = outcome.kind === 'failed' ? outcome.failure : judgeControl(outcome.answer, id, era);
    if (problem === undefined) return undefined;
    const request = clip(redact(requestText(endpoint, era, kind, this.#forged.body.slice(0, 2048)), endpoint));
    const response = outcome.kind === 'failed' ? '(no answer)' : clip(redact(responseText(outcome.answer, outcome.answer.body), endpoint));
    return { category: problem.category, detail: `${deed}: ${redact(problem.detail, endpoint)}`, sample: { request, response } };
  }

  #end(failure: Failure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.cut(false);
    this.#options.done(failure);
  }
}
