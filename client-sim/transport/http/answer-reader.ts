import { learnPattern } from '../../mcp/answer-pattern.js';
import { boundTo, type DrawnRules } from '../../mcp/expectation.js';
import { isObject } from '../../mcp/json-value.js';
import { judgeMessage, unreadable, violation } from '../../mcp/judge-message.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { Problem } from '../../measure/failure.js';
import type { WireCounters } from '../channel.js';
import type { Control, ControlAnswer } from '../control.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import { asSessionLoss, judgeHttp } from '../judge-http.js';
import { BodyCollector } from '../socket/body-collector.js';
import type { ResponseHead } from './response-head.js';
import { type ParserLimits, ResponseParser } from './response-parser.js';
import { type SseHandler, SseParser } from './sse-parser.js';
import type { TicketRing } from './ticket-ring.js';

const NOTHING: readonly string[] = [];
const UNASKED = violation('the server sent an answer that no request asked for');

/** Ticket of a control request in the ring. */
export const CONTROL_TICKET = -1;

/** Turns the bytes of one connection into judged answers, in the order of its ring. It knows no sockets. */
export class AnswerReader implements AnswerView, SseHandler {
  readonly parser: ResponseParser;
  readonly body = new BodyCollector();
  /** Messages on the event stream of a control request. */
  streamed: readonly string[] = NOTHING;
  /** After 'broken'. */
  problem: Problem = UNASKED;
  /** The answer was delivered, and its stream is still open. */
  lingering = false;
  /** Number of the replica that gave the current answer, or the last one; see `ReplicaNames`. */
  replica = 0;
  /** Set by the connection when it closes, perhaps in the middle of a read. */
  stopped = false;
  /** The server has answered on this connection, so it was not refused. */
  hasAnswered = false;

  private sse: SseParser | undefined;
  private begun = false;
  private streaming = false;
  /** The awaited message of a stream has come; `judgement` is its problem, if any. */
  private answered = false;
  private judgement: Problem | undefined;
  private nowMs = 0;
  /** Where the answer began in the current buffer; -1: in an earlier read. */
  private answerStart = -1;
  private current: Buffer | undefined;
  private messageStart = -1;
  private messageEnd = -1;
  private messages = 0;
  /** Control requests in flight, oldest first. */
  private controls: SentControl[] | undefined;

  constructor(
    private readonly connection: AnswerReceiver,
    private readonly session: AnswerSession,
    private readonly counters: WireCounters,
    readonly ring: TicketRing,
    limits: ParserLimits,
  ) {
    this.parser = new ResponseParser(limits);
  }

  expect(sent: SentControl): void {
    (this.controls ??= []).push(sent);
  }

  takeControl(): SentControl | undefined {
    return this.controls?.shift();
  }

  get nextControl(): Control | undefined {
    return this.controls?.[0]?.control;
  }

  /** What is sent now might not be answered: the stream of an answer is open, or the server closes after this one. */
  get holdsBack(): boolean {
    return this.lingering || (this.begun && !this.parser.head.keepAlive);
  }

  /** Id of the last event of a stream that has not brought the answer yet; '': no such stream, or no ids. */
  get resumeAfter(): string {
    return this.streaming && !this.answered && this.sse !== undefined ? this.sse.lastEventId : '';
  }

  /** See `SseParser.retryMs`. */
  get retryMs(): number {
    return this.sse?.retryMs ?? -1;
  }

  /** Reads everything in bytes[0, end). */
  read(bytes: Buffer, end: number, nowMs: number): ReadResult {
    const { parser, ring } = this;
    this.nowMs = nowMs;
    this.current = bytes;
    this.answerStart = -1;
    parser.at = 0;
    while (!this.stopped) {
      if (parser.idle && parser.at < end) {
        parser.at = this.passKnown(bytes, parser.at, end, nowMs);
        if (parser.at === end || this.stopped) break;
        if (ring.count === 0) return this.broken(UNASKED);
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
          return this.broken(unreadable(parser));
      }
    }
    return 'open';
  }

  /**
   * The fast path: answers that are known byte for byte need neither HTTP nor JSON parser; see `AnswerPattern`. It is a
   * loop of its own that does not touch the parsers, since several answers lie in one read.
   * @returns where the first unknown answer begins
   */
  private passKnown(bytes: Buffer, start: number, end: number, nowMs: number): number {
    const { ring, connection, counters } = this;
    const { memory } = this.session;
    const { answers } = memory;
    let at = start;
    while (at < end && ring.count > 0 && ring.ticket !== CONTROL_TICKET && !this.stopped) {
      const known = answers.find(this.replica, ring.template, bytes, at, end, ring.id);
      if (known > 0) {
        at += known;
        this.replica = answers.replica;
        counters.messagesReceived++;
      } else {
        const { accepted } = memory;
        // The same for a server that only acknowledges messages.
        if (
          accepted === undefined ||
          end - at < accepted.length ||
          bytes.compare(accepted, 0, accepted.length, at, at + accepted.length) !== 0
        )
          return at;
        at += accepted.length;
      }
      connection.onAnswer(this, nowMs, undefined, true);
    }
    return at;
  }

  /** The server has closed its side. */
  endOfInput(nowMs: number): ReadResult {
    this.nowMs = nowMs;
    const event = this.parser.endOfInput();
    if (event === 'end') this.finish();
    return event === 'broken' ? this.broken(unreadable(this.parser)) : 'last';
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number): void {
    // Streams may begin with an event without data, for its id alone (2025-11-25, "Sending Messages to the Server").
    if (type !== 'message' || start === end || this.stopped) return;
    const { session, counters, ring } = this;
    counters.messagesReceived++;
    this.messages++;
    if (this.answered) return;
    const isControl = ring.ticket === CONTROL_TICKET;
    if (isControl) this.streamed = [...this.streamed, bytes.toString('utf8', start, end)];
    const pattern = isControl ? undefined : session.memory.messages.get(ring.template);
    if (pattern?.length === end - start && pattern.matches(bytes, start, end, ring.id)) {
      session.memory.messages.hit(ring.template);
      this.answer(undefined, bytes, start, end);
      return;
    }
    const parsed = parseMessage(bytes, start, end);
    if (!parsed.ok) return this.answer(violation(parsed.problem), bytes, start, end);
    if (isObject(parsed.value) && typeof parsed.value.method === 'string') {
      if (parsed.value.id !== undefined && parsed.value.id !== null) session.onServerRequest(parsed.value);
      else if (parsed.value.method === 'notifications/progress') counters.streams.progress++;
      return;
    }
    const expectedId = isControl ? this.nextControl?.id : ring.id;
    const judgeResult = isControl ? undefined : boundTo(this.rules, end - start);
    const problem = expectedId === undefined ? undefined : judgeMessage(parsed.value, expectedId, judgeResult);
    this.answer(
      problem === undefined || isControl || !session.hasSession
        ? problem
        : asSessionLoss(problem, this.head.status, this.head, bytes.toString('utf8', start, end)),
      bytes,
      start,
      end,
    );
  }

  get answering(): boolean {
    return this.begun;
  }

  get head(): ResponseHead {
    return this.parser.head;
  }

  /** The answer just delivered to a control request, as text. */
  controlAnswer(): ControlAnswer {
    const { status, mediaType, contentType, sessionId, retryAfter, location, authenticate } = this.parser.head;
    return {
      status,
      mediaType,
      contentType,
      sessionId,
      retryAfter,
      location,
      authenticate,
      replica: this.replica,
      body: this.bodyText(),
      messages: this.streamed,
    };
  }

  /** The part of the current answer's body that came; of an event stream, the message that answers. */
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
    const { session } = this;
    this.replica = session.memory.replicas.numberOf(replica === '' ? server : replica);
    if (setCookie !== '') session.onSetCookie(setCookie);
    if (parser.head.keepAliveMs > 0) session.memory.keepAliveMs = parser.head.keepAliveMs;
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

  /** The read buffer will be reused: copies what is unfinished, and delivers an answer whose stream stays open. */
  private settle(): void {
    this.answerStart = -1;
    if (this.streaming) (this.sse as SseParser).settle();
    this.body.settle();
    if (this.streaming && this.answered && !this.lingering) {
      this.lingering = true;
      this.connection.onAnswer(this, this.nowMs, this.judgement, false);
    }
  }

  /** An HTTP answer is complete. @returns whether another may follow on this connection */
  private finish(): boolean {
    const { connection, ring, parser } = this;
    const { keepAlive } = parser.head;
    this.hasAnswered = true;
    if (this.lingering) {
      this.lingering = false;
      this.streaming = false;
      connection.onStreamOver();
      this.begun = false;
      return keepAlive;
    }
    const problem = ring.ticket === CONTROL_TICKET ? undefined : this.judge();
    if (problem === undefined) this.learn();
    connection.onAnswer(this, this.nowMs, problem, true);
    this.streaming = false;
    this.begun = false;
    return keepAlive;
  }

  private judge(): Problem | undefined {
    const { session, ring, body, parser } = this;
    const { memory } = session;
    if (this.streaming)
      return this.answered
        ? this.judgement
        : { category: 'stream_lost', detail: 'the event stream ended without the answer' };
    const { status } = parser.head;
    if (session.answersElsewhere === true && status >= 200 && status < 300) return undefined;
    if (body.length > 0) this.counters.messagesReceived++;
    const { start, end, bytes } = body;
    this.messageStart = body.inPlace ? start : -1;
    this.messageEnd = end;
    const pattern = memory.messages.get(ring.template);
    if (
      parser.head.status === 200 &&
      parser.head.mediaType === 'json' &&
      pattern?.length === end - start &&
      pattern.matches(bytes, start, end, ring.id)
    ) {
      memory.messages.hit(ring.template);
      return undefined;
    }
    const problem = judgeHttp(parser.head, bytes, start, end, {
      id: ring.id,
      era: session.era,
      hasSession: session.hasSession,
      turn: memory.turn++,
      rules: this.rules,
    });
    if (problem === undefined) this.learnMessage(bytes, start, end);
    return problem;
  }

  /** Those of the operation whose answer is due. */
  private get rules(): DrawnRules | undefined {
    const { session, ring } = this;
    const template = session.memory.templates[ring.template];
    if (template === undefined) return undefined;
    const draw = { seed: session.seed ?? 0, slot: ring.slot, sequence: ring.sequence };
    return { judge: template.judge, judgesAll: template.judgesAll, draw };
  }

  private learnMessage(bytes: Buffer, start: number, end: number): void {
    if (this.ring.ticket !== CONTROL_TICKET) learnMessage(this.session.memory, this.ring, bytes, start, end);
  }

  /** Learns an answer that lies whole in the read buffer. */
  private learn(): void {
    const { session, parser, current, answerStart, ring } = this;
    if (ring.ticket === CONTROL_TICKET || answerStart < 0 || current === undefined) return;
    if (session.answersElsewhere === true) learnAccepted(session.memory, parser.head, current, answerStart, parser.at);
    else if (this.messages <= 1 && this.messageStart >= answerStart) {
      learnAnswer(session.memory, ring, parser.head, {
        bytes: current,
        start: answerStart,
        end: parser.at,
        messageStart: this.messageStart,
        messageEnd: this.messageEnd,
        replica: this.replica,
      });
    }
  }

  private broken(problem: Problem): ReadResult {
    this.problem = problem;
    return 'broken';
  }
}

/** A control request in flight, with its bytes: it may have to be sent again. */
export interface SentControl {
  readonly control: Control;
  readonly request: Buffer;
}

/** The connection that a reader reads for. */
interface AnswerReceiver {
  /**
   * The oldest request of the ring is answered. The receiver removes it or, when the answer is not `over` (its event
   * stream stays open), marks it as delivered.
   */
  onAnswer(reader: AnswerReader, nowMs: number, problem: Problem | undefined, over: boolean): void;
  /** The rest of a stream whose answer was delivered is over. */
  onStreamOver(): void;
}

/** The session that the answers belong to. */
export interface AnswerSession {
  readonly era: 'legacy' | 'modern';
  readonly hasSession: boolean;
  /** Of the draws of its requests; absent where no requests of the load are sent. */
  readonly seed?: number;
  /** HTTP answers only acknowledge a message (202); the server's messages come on a stream of their own. */
  readonly answersElsewhere?: boolean;
  readonly memory: EndpointMemory;
  /** The head of an answer sets cookies; see `ResponseHead.setCookie`. */
  onSetCookie(setCookie: string): void;
  /** The server sends a request of its own on a stream. */
  onServerRequest(request: Record<string, unknown>): void;
}

/** The answer to the oldest request of a ring, or the part of it that came. */
export interface AnswerView {
  readonly ring: TicketRing;
  /** Whether its head has come. */
  readonly answering: boolean;
  readonly head: ResponseHead;
  bodyText(): string;
}

/** What a read means for the connection. */
type ReadResult =
  | 'open'
  /** The server announced that this answer was the last one. */
  | 'last'
  /** The bytes are not an answer; `reader.problem` says why. */
  | 'broken';

/** Where a correct answer lies in the read buffer, and the JSON-RPC message within it. */
interface LearntAnswer {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly messageStart: number;
  readonly messageEnd: number;
  /** Number of the replica that gave it. */
  readonly replica: number;
}

/** Learns the message alone, as the answer to the oldest request of the ring. */
function learnMessage(
  { messages, templates }: EndpointMemory,
  ring: TicketRing,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const { template, id } = ring;
  // A pattern confirms the structure of an answer, not the content of its texts.
  if (templates[template]?.judgesAll === true || !messages.wantsToLearn(template)) return;
  messages.learnt(template, learnPattern(bytes, start, end, start, end, id, messages.get(template)));
}

/** Learns the answer with its head: only a plain 200, without headers that a later answer might not have. */
function learnAnswer(
  { answers, templates }: EndpointMemory,
  { template, id }: TicketRing,
  head: ResponseHead,
  answer: LearntAnswer,
): void {
  if (head.status !== 200 || !head.keepAlive || head.retryAfter !== '' || head.setCookie !== '') return;
  const { bytes, start, end, messageStart, messageEnd, replica } = answer;
  const known = answers.of(replica);
  if (templates[template]?.judgesAll === true || !known.wantsToLearn(template)) return;
  known.learnt(template, learnPattern(bytes, start, end, messageStart, messageEnd, id, known.get(template)));
}

/**
 * Learns an answer that only acknowledges a message. It matches until the server's clock shows another second, since
 * its `date` is part of it.
 */
function learnAccepted(memory: EndpointMemory, head: ResponseHead, bytes: Buffer, start: number, end: number): void {
  if (head.keepAlive && head.retryAfter === '') memory.accepted = Buffer.from(bytes.subarray(start, end));
}
