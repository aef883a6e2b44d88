import { judgeMessage, isObject, violation, type Problem } from '../../mcp/judge-message.js';
import type { Expectation } from '../../mcp/expectation.js';
import { learnPattern } from '../../mcp/answer-pattern.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { WireCounters } from '../channel.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import { judgeHttp } from '../judge-http.js';
import { BodyCollector } from './body.js';
import type { Control, ControlAnswer } from './control.js';
import { DEFAULT_LIMITS, ResponseParser, type ParserLimits } from './parser.js';
import { SseParser, type SseHandler } from './sse.js';
import type { TicketRing } from './ticket-ring.js';

const NOTHING: readonly string[] = [];

/** Ticket of a control request in the ring. */
export const CONTROL_TICKET = -1;

export interface AnswerOwner {
  readonly era: 'legacy' | 'modern';
  readonly hasSession: boolean;
  /** HTTP answers only say that a message was taken. */
  readonly answersElsewhere: boolean;
  readonly counters: WireCounters;
  readonly memory: EndpointMemory;
  /**
   * The answer to the oldest request of the ring is known; the owner takes it out, or, when the answer is not `over`
   * (its event stream stays open), marks it delivered.
   */
  onAnswer(reader: AnswerReader, nowMs: number, problem: Problem | undefined, over: boolean): void;
  /** The rest of a stream whose answer had been given is over. */
  onStreamOver(): void;
  /** The head of an answer sets cookies; see `Head.setCookie`. */
  onSetCookie(setCookie: string): void;
  /** The server asks us something on a stream. */
  onServerRequest(request: Record<string, unknown>): void;
}

/** What the connection has to do after a read. */
export type ReadResult =
  | 'open'
  /** The server announced that this answer was the last one. */
  | 'last'
  /** What came is not an answer; `reader.problem` says why. */
  | 'broken';

/** Turns the bytes of one connection into judged answers, in the order of its ring. No sockets here. */
export class AnswerReader implements SseHandler {
  readonly parser: ResponseParser;
  readonly body = new BodyCollector();
  /** Of the event stream of a control request. */
  streamed: readonly string[] = NOTHING;
  problem = '';
  /** An answer was delivered while its stream is still open. */
  lingering = false;
  /** Number of the replica that gave the answer at hand, or the last one; see `ReplicaNames`. */
  replica = 0;
  /** Set by the connection when it was cut while a read was being worked on. */
  cut = false;

  private sse: SseParser | undefined;
  private begun = false;
  private streaming = false;
  /** The awaited message of a stream has come, with this judgement. */
  private answered = false;
  private judgement: Problem | undefined;
  private nowMs = 0;
  /** Where the answer began in the buffer now being read; -1: in an earlier read. */
  private answerStart = -1;
  private current: Buffer | undefined;
  private messageStart = -1;
  private messageEnd = -1;
  private messages = 0;

  readonly ring: TicketRing;
  /** Control requests in flight, oldest first. */
  private controls: Control[] | undefined;
  private readonly owner: AnswerOwner;

  constructor(owner: AnswerOwner, ring: TicketRing, limits: ParserLimits = DEFAULT_LIMITS) {
    this.owner = owner;
    this.ring = ring;
    this.parser = new ResponseParser(limits);
  }

  expect(control: Control): void {
    (this.controls ??= []).push(control);
  }

  takeControl(): Control | undefined {
    return this.controls?.shift();
  }

  get nextControl(): Control | undefined {
    return this.controls?.[0];
  }

  /** Id of the last event of a stream that has not brought its answer; '': there is no such stream, or it numbers nothing. */
  get brokenAt(): string {
    return this.streaming && !this.answered && this.sse !== undefined ? this.sse.lastEventId : '';
  }

  /** See `SseParser.retryMs`. */
  get retryMs(): number {
    return this.sse?.retryMs ?? -1;
  }

  /** Works on everything in bytes[0, end). */
  read(bytes: Buffer, end: number, nowMs: number): ReadResult {
    const { parser, ring } = this;
    const { memory, counters } = this.owner;
    this.nowMs = nowMs;
    this.current = bytes;
    this.answerStart = -1;
    parser.at = 0;
    while (!this.cut) {
      if (parser.idle && parser.at < end) {
        if (ring.count === 0) return this.broken('the server sent something nobody had asked for');
        // The fast lane: an answer that is known byte for byte needs neither HTTP nor JSON parser; see `AnswerPattern`.
        const template = ring.template;
        const known = ring.ticket === CONTROL_TICKET ? 0 : memory.answers.find(this.replica, template, bytes, parser.at, end, ring.id);
        if (known > 0) {
          parser.at += known;
          this.replica = memory.answers.replica;
          counters.messagesReceived++;
          this.owner.onAnswer(this, nowMs, undefined, true);
          continue;
        }
        const { accepted } = memory;
        // The same for a server that only ever says that it took a message.
        if (accepted !== undefined && ring.ticket !== CONTROL_TICKET && end - parser.at >= accepted.length && bytes.compare(accepted, 0, accepted.length, parser.at, parser.at + accepted.length) === 0) {
          parser.at += accepted.length;
          this.owner.onAnswer(this, nowMs, undefined, true);
          continue;
        }
        this.answerStart = parser.at;
      }
      switch (parser.next(bytes, end)) {
        case 'head':
          this.begin();
          break;
        case 'body':
          if (this.streaming) (this.sse as SseParser).feed(bytes, parser.dataStart, parser.dataEnd, this);
          else this.body.add(bytes, parser.dataStart, parser.dataEnd);
          break;
        case 'end':
          if (!this.finish()) return 'last';
          break;
        case 'more':
          this.settle();
          return 'open';
        case 'broken':
          return this.broken(parser.problem);
      }
    }
    return 'open';
  }

  /** The server has closed its side. */
  endOfInput(nowMs: number): ReadResult {
    this.nowMs = nowMs;
    const event = this.parser.endOfInput();
    if (event === 'end') this.finish();
    return event === 'broken' ? this.broken(this.parser.problem) : 'last';
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number): void {
    // Streams may begin with an event without data, for its id alone (2025-11-25, "Sending Messages to the Server").
    if (type !== 'message' || start === end || this.cut) return;
    const { owner, ring } = this;
    owner.counters.messagesReceived++;
    this.messages++;
    if (this.answered) return;
    const isControl = ring.ticket === CONTROL_TICKET;
    if (isControl) this.streamed = [...this.streamed, bytes.toString('utf8', start, end)];
    const pattern = isControl ? undefined : owner.memory.messages.get(ring.template);
    if (pattern?.length === end - start && pattern.matches(bytes, start, end, ring.id)) {
      owner.memory.messages.hit(ring.template);
      this.answer(undefined, bytes, start, end);
      return;
    }
    const parsed = parseMessage(bytes, start, end);
    if (!parsed.ok) return this.answer(violation(parsed.problem), bytes, start, end);
    if (isObject(parsed.value) && typeof parsed.value['method'] === 'string') {
      if (parsed.value['id'] !== undefined && parsed.value['id'] !== null) owner.onServerRequest(parsed.value);
      else if (parsed.value['method'] === 'notifications/progress') owner.counters.streams.progress++;
      return;
    }
    const expectedId = isControl ? this.controls?.[0]?.id : ring.id;
    const expectation = isControl ? undefined : this.expectation;
    const beyond = expectation === undefined ? undefined : (result: unknown) => expectation(result, end - start);
    this.answer(expectedId === undefined ? undefined : judgeMessage(parsed.value, expectedId, beyond), bytes, start, end);
  }

  /** Whether anything of the oldest request's answer is at hand: its head, perhaps its body. */
  get answering(): boolean {
    return this.begun;
  }

  /** The answer just delivered to a control request, as text. */
  controlAnswer(): ControlAnswer {
    const { head } = this.parser;
    const { status, mediaType, contentType, sessionId, retryAfter, location } = head;
    return { status, mediaType, contentType, sessionId, retryAfter, location, replica: this.replica, body: this.bodyText(), messages: this.streamed };
  }

  /** What of the current answer's body is at hand; of an event stream, the message that answers. */
  bodyText(): string {
    return this.body.bytes.toString('utf8', this.body.start, this.body.end);
  }

  private begin(): void {
    const { parser } = this;
    this.streaming = parser.head.mediaType === 'event-stream' && parser.head.status >= 200 && parser.head.status < 300;
    this.begun = true;
    this.answered = false;
    this.judgement = undefined;
    this.messageStart = -1;
    this.messages = 0;
    this.streamed = NOTHING;
    this.body.reset();
    if (this.streaming) (this.sse ??= new SseParser()).reset();
    const { replica, server, setCookie } = parser.head;
    this.replica = this.owner.memory.replicas.numberOf(replica === '' ? server : replica);
    if (setCookie !== '') this.owner.onSetCookie(setCookie);
    if (parser.head.keepAliveMs > 0) this.owner.memory.keepAliveMs = parser.head.keepAliveMs;
  }

  private answer(judgement: Problem | undefined, bytes: Buffer, start: number, end: number): void {
    this.answered = true;
    this.judgement = judgement;
    this.messageStart = bytes === this.current ? start : -1;
    this.messageEnd = end;
    this.body.reset();
    this.body.add(bytes, start, end);
    if (judgement === undefined) this.learnMessage(bytes, start, end);
  }

  /** The read buffer will be used again: keeps what is not over, and delivers an answer whose stream stays open. */
  private settle(): void {
    this.answerStart = -1;
    if (this.streaming) (this.sse as SseParser).settle();
    this.body.settle();
    if (this.streaming && this.answered && !this.lingering) {
      this.lingering = true;
      this.owner.onAnswer(this, this.nowMs, this.judgement, false);
    }
  }

  /** An HTTP answer is complete. @returns whether another may follow on this connection */
  private finish(): boolean {
    const { owner, ring, parser } = this;
    const { keepAlive } = parser.head;
    if (this.lingering) {
      this.lingering = false;
      this.streaming = false;
      this.begun = false;
      owner.onStreamOver();
      return keepAlive;
    }
    const problem = ring.ticket === CONTROL_TICKET ? undefined : this.judge();
    if (problem === undefined) {
      if (owner.answersElsewhere) this.learnAccepted();
      else this.learnAnswer();
    }
    owner.onAnswer(this, this.nowMs, problem, true);
    this.streaming = false;
    this.begun = false;
    return keepAlive;
  }

  private judge(): Problem | undefined {
    const { owner, ring, body, parser } = this;
    if (this.streaming) return this.answered ? this.judgement : { category: 'stream_lost', detail: 'the event stream ended without the answer' };
    const { status } = parser.head;
    if (owner.answersElsewhere && status >= 200 && status < 300) return undefined;
    if (body.length > 0) owner.counters.messagesReceived++;
    const { start, end, bytes } = body;
    this.messageStart = body.inPlace ? start : -1;
    this.messageEnd = end;
    const pattern = owner.memory.messages.get(ring.template);
    if (parser.head.status === 200 && parser.head.mediaType === 'json' && pattern?.length === end - start && pattern.matches(bytes, start, end, ring.id)) {
      owner.memory.messages.hit(ring.template);
      return undefined;
    }
    const problem = judgeHttp(parser.head, bytes, start, end, { id: ring.id, era: owner.era, hasSession: owner.hasSession, turn: owner.memory.turn++, expectation: this.expectation });
    if (problem === undefined) this.learnMessage(bytes, start, end);
    return problem;
  }

  /** Of the operation whose answer is due. */
  private get expectation(): Expectation | undefined {
    return this.owner.memory.templates[this.ring.template]?.expectation;
  }

  private learnMessage(bytes: Buffer, start: number, end: number): void {
    const { ring, owner } = this;
    // A pattern vouches for the structure of an answer, not for what its texts say.
    if (ring.ticket === CONTROL_TICKET || this.expectation !== undefined || !owner.memory.messages.wantsToLearn(ring.template)) return;
    const { messages } = owner.memory;
    messages.learnt(ring.template, learnPattern(bytes, start, end, start, end, ring.id, messages.get(ring.template)));
  }

  /** Only an answer that lies whole in the read buffer, says 200 and nothing else a later one might not, is learnt whole. */
  private learnAnswer(): void {
    const { ring, owner, parser } = this;
    const plain = parser.head.status === 200 && parser.head.keepAlive && parser.head.retryAfter === '' && parser.head.setCookie === '' && this.messages <= 1;
    if (ring.ticket === CONTROL_TICKET || !plain || this.answerStart < 0 || this.messageStart < this.answerStart || this.current === undefined) return;
    const answers = owner.memory.answers.of(this.replica);
    if (this.expectation !== undefined || !answers.wantsToLearn(ring.template)) return;
    answers.learnt(ring.template, learnPattern(this.current, this.answerStart, parser.at, this.messageStart, this.messageEnd, ring.id, answers.get(ring.template)));
  }

  /** Kept until the server's clock shows another second: its `date` is part of it. */
  private learnAccepted(): void {
    const { owner, parser, current, answerStart, ring } = this;
    if (ring.ticket === CONTROL_TICKET || answerStart < 0 || current === undefined || !parser.head.keepAlive || parser.head.retryAfter !== '') return;
    owner.memory.accepted = Buffer.from(current.subarray(answerStart, parser.at));
  }

  private broken(problem: string): ReadResult {
    this.problem = problem;
    return 'broken';
  }
}
