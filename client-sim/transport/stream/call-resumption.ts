import type { DrawnRules } from '../../mcp/expectation.js';
import { isObject } from '../../mcp/json-value.js';
import { parseMessage, scanAnswer } from '../../mcp/scan-answer.js';
import type { Failure, Problem } from '../../measure/failure.js';
import type { EndpointMemory, FailedAnswer } from '../endpoint-memory.js';
import type { BrokenCall } from '../http/connection.js';
import type { AnswerHead } from '../judge-http.js';
import { reconnectWaitMs } from '../retry.js';
import { getStream } from '../session-messages.js';
import type { ProfileShared } from '../shared.js';
import {
  type StreamEnd,
  type StreamHost,
  StreamPosition,
  StreamSocket,
  type StreamSocketOwner,
} from './stream-socket.js';

type ResumptionOutcome =
  /** The message that answers, not judged yet; its bytes are valid only during the call. */
  | {
      readonly kind: 'answered';
      readonly bytes: Buffer;
      readonly start: number;
      readonly end: number;
      readonly nowMs: number;
      readonly replica: number;
      readonly head: AnswerHead;
    }
  | { readonly kind: 'lost'; readonly problem: Problem };

/**
 * Streams requested in all: a server that lets its clients poll (SEP-1699) closes many before the one with the answer.
 */
const MAX_ATTEMPTS = 64;
/** Failed attempts in a row: no connection, refused, or broken. */
const MAX_FAILURES = 4;
/** Client errors after which the same request may succeed later. */
const TEMPORARY = new Set([408, 409, 425, 429]);

/**
 * Waits for the answer to a call whose stream broke off or was closed before it (2025-11-25, "Resumability and
 * Redelivery"; SEP-1699): after the time the server asked for, it sends GET with the id of the last event, until the
 * answer has come. The caller limits the time, by `destroy`.
 */
export class CallResumption implements StreamSocketOwner {
  readonly era = 'legacy';
  private readonly position: StreamPosition;
  private attempts = 0;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private socket: StreamSocket | undefined;
  private over = false;

  /** @param done called once, unless it is destroyed */
  constructor(
    private readonly host: StreamHost,
    private readonly shared: ProfileShared,
    { lastEventId, retryMs }: Pick<BrokenCall, 'lastEventId' | 'retryMs'>,
    private readonly readBytesPerSecond: number | undefined,
    private readonly done: (outcome: ResumptionOutcome) => void,
  ) {
    this.position = new StreamPosition(lastEventId, retryMs);
    shared.counters.streams.callsBroken++;
    this.wait();
  }

  get hasSession(): boolean {
    return this.host.hasSession;
  }

  /** No event follows. */
  destroy(reset = false): void {
    this.over = true;
    clearTimeout(this.timer);
    this.socket?.destroy(reset);
    this.socket = undefined;
  }

  onStream(): void {
    this.failures = 0;
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number, nowMs: number): void {
    if (type !== 'message' || start === end) return;
    const { counters, replicas } = this.shared;
    counters.messagesReceived++;
    const parsed = parseMessage(bytes, start, end);
    const message = parsed.ok && isObject(parsed.value) ? parsed.value : {};
    if (typeof message.method === 'string') {
      if (message.id !== undefined && message.id !== null) this.host.onServerRequest(message);
      else if (message.method === 'notifications/progress') counters.streams.progress++;
      return;
    }
    const head = this.socket?.head;
    if (head === undefined) return;
    const { replica, server } = head;
    this.destroy();
    counters.streams.callsResumed++;
    this.done({
      kind: 'answered',
      bytes,
      start,
      end,
      nowMs,
      replica: replicas.numberOf(replica === '' ? server : replica),
      head,
    });
  }

  onEnd(end: StreamEnd): void {
    if (this.socket !== undefined) this.position.follow(this.socket);
    this.socket = undefined;
    if (end.kind === 'ended') return this.wait();
    this.failures++;
    const isFinal = end.kind === 'refused' && end.status < 500 && !TEMPORARY.has(end.status);
    if (isFinal || this.failures >= MAX_FAILURES) this.giveUp(end.problem.detail);
    else this.wait();
  }

  private wait(): void {
    if (this.attempts === MAX_ATTEMPTS) return this.giveUp(`no answer on any of ${MAX_ATTEMPTS} streams`);
    this.timer = setTimeout(
      () => this.attempt(),
      reconnectWaitMs(this.position.retryMs, this.failures, this.shared.counters.messagesReceived + this.attempts),
    );
  }

  private attempt(): void {
    const { host, shared } = this;
    this.attempts++;
    this.socket = new StreamSocket(
      this,
      shared,
      host.address,
      getStream(host.endpoint, host.sessionHeaders(), this.position.lastEventId),
      this.readBytesPerSecond,
    );
  }

  private giveUp(why: string): void {
    if (this.over) return;
    this.destroy();
    this.done({
      kind: 'lost',
      problem: {
        category: 'stream_lost',
        detail: `the event stream ended without the answer, and could not be resumed: ${why}`,
      },
    });
  }
}

export interface ResumingSession extends StreamHost {
  readonly memory: EndpointMemory;
  rulesOf(call: BrokenCall): DrawnRules | undefined;
  failureOf(call: BrokenCall, problem: Problem, answer: FailedAnswer | undefined): Failure;
  onOutcome(ticket: number, nowMs: number, failure: Failure | undefined, replica: number): void;
}

interface Waiting {
  readonly call: BrokenCall;
  readonly resumption: CallResumption;
}

/** Calls of one session whose streams broke off. Each waits for its answer on a stream of its own. */
export class ResumedCalls {
  /** By ticket. */
  private readonly waiting = new Map<number, Waiting>();

  constructor(
    private readonly session: ResumingSession,
    private readonly shared: ProfileShared,
    private readonly readBytesPerSecond: number | undefined,
  ) {}

  add(call: BrokenCall): void {
    const { session, shared } = this;
    const resumption = new CallResumption(session, shared, call, this.readBytesPerSecond, (outcome) => {
      this.waiting.delete(call.ticket);
      if (outcome.kind === 'lost')
        return session.onOutcome(call.ticket, shared.now(), session.failureOf(call, outcome.problem, undefined), 0);
      const { bytes, start, end, head } = outcome;
      const problem = scanAnswer(bytes, start, end, call.id, session.memory.turn++, session.rulesOf(call));
      const failure =
        problem === undefined
          ? undefined
          : session.failureOf(call, problem, { head, body: () => bytes.toString('utf8', start, end) });
      session.onOutcome(call.ticket, outcome.nowMs, failure, outcome.replica);
    });
    this.waiting.set(call.ticket, { call, resumption });
  }

  /** Stops waiting for this ticket. @returns the id of its request; -1: it is not here */
  abandon(ticket: number): number {
    const found = this.waiting.get(ticket);
    if (found === undefined) return -1;
    this.waiting.delete(ticket);
    found.resumption.destroy();
    return found.call.id;
  }

  /** Ends them all. @param problem with which their tickets are answered; undefined: not at all */
  endAll(problem?: Problem, reset = false): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { resumption } of all) resumption.destroy(reset);
    if (problem === undefined) return;
    for (const { call } of all)
      this.session.onOutcome(call.ticket, this.shared.now(), this.session.failureOf(call, problem, undefined), 0);
  }
}
