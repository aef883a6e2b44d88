import { isUtf8 } from 'node:buffer';
import { learnPattern } from '../../mcp/answer-pattern.js';
import { ID_DIGITS, readId } from '../../mcp/digits.js';
import { boundTo, type DrawnRules } from '../../mcp/expectation.js';
import { describe, isObject } from '../../mcp/json-value.js';
import { crossed, describeId, judgeError, judgeMessage, violation } from '../../mcp/judge-message.js';
import { isRunId } from '../../mcp/request-ids.js';
import { ALWAYS_PARSED_BYTES, parseMessage, scanAnswer } from '../../mcp/scan-answer.js';
import type { Problem } from '../../measure/failure.js';
import type { WireCounters } from '../channel.js';
import type { DuplexMemory } from '../endpoint-memory.js';
import type { TicketWindow } from './ticket-window.js';

export interface MessageOwner {
  /** Of the draws of its requests. */
  readonly seed: number;
  /** The request at `row` of the window is answered; the owner releases it. */
  onAnswer(row: number, problem: Problem | undefined, bytes: Buffer, start: number, end: number): void;
  onServerRequest(request: Record<string, unknown>): void;
  onNotification(method: string, message: Record<string, unknown>, bytes: Buffer, start: number, end: number): void;
  /** @returns whether this answers a request that the owner sent itself */
  onOwnAnswer(answer: Record<string, unknown>): boolean;
  /** A message that should be an answer, but belongs to no known request. */
  onStray(problem: Problem, bytes: Buffer, start: number, end: number): void;
  onNotUtf8(): void;
}

/** Turns the messages of one link into judged answers, in whatever order they come. It knows no sockets. */
export class MessageReader {
  /** The id after that of the last known answer. */
  private nextId = 0;

  constructor(
    private readonly owner: MessageOwner,
    private readonly window: TicketWindow,
    private readonly memory: DuplexMemory,
    private readonly counters: WireCounters,
  ) {}

  read(bytes: Buffer, start: number, end: number): void {
    const { window } = this;
    this.counters.messagesReceived++;
    // Most servers answer in order: then the pattern of the next id matches, and the id need not be found.
    let row = window.find(this.nextId);
    if (row < 0 || !this.isKnown(row, bytes, start, end)) {
      row = this.guess(bytes, start, end);
      if (row < 0 || !this.isKnown(row, bytes, start, end)) return this.parse(bytes, start, end, row);
    }
    this.nextId = window.id(row) + 1;
    this.owner.onAnswer(row, undefined, bytes, start, end);
  }

  /** The fast path: an answer that is known byte for byte needs no parser; see `AnswerPattern`. */
  private isKnown(row: number, bytes: Buffer, start: number, end: number): boolean {
    const { window, memory } = this;
    const template = window.template(row);
    const pattern = memory.messages.get(template);
    if (pattern === undefined || pattern.length !== end - start || !pattern.matches(bytes, start, end, window.id(row)))
      return false;
    memory.messages.hit(template);
    return true;
  }

  /**
   * Guesses which request this answers: servers put the id at the same distance from the start or from the end of each
   * answer. The pattern confirms the guess, or the parser corrects it. It saves finding the id in 150 bytes (0.3 us).
   */
  private guess(bytes: Buffer, start: number, end: number): number {
    const { window, memory } = this;
    const { idFromStart, idFromEnd } = memory;
    if (idFromStart >= 0 && start + idFromStart + ID_DIGITS <= end) {
      const row = window.find(readId(bytes, start + idFromStart));
      if (row >= 0) return row;
    }
    return idFromEnd >= 0 && end - idFromEnd >= start ? window.find(readId(bytes, end - idFromEnd)) : -1;
  }

  private parse(bytes: Buffer, start: number, end: number, guessed: number): void {
    const { owner, window, memory } = this;
    if (!isUtf8(bytes.subarray(start, end))) return owner.onNotUtf8();
    // Only the parser can check what is expected of an answer's texts.
    const isLong = end - start > ALWAYS_PARSED_BYTES && guessed >= 0 && !this.judgesAll(guessed);
    if (isLong && scanAnswer(bytes, start, end, window.id(guessed), memory.turn++, this.rules(guessed)) === undefined)
      return owner.onAnswer(guessed, undefined, bytes, start, end);
    const parsed = parseMessage(bytes, start, end);
    if (!parsed.ok) return owner.onStray(violation(parsed.problem), bytes, start, end);
    const { value } = parsed;
    if (!isObject(value))
      return owner.onStray(violation(`a message is not a JSON-RPC message but ${describe(value)}`), bytes, start, end);
    const { id, error } = value;
    if (typeof value.method === 'string') {
      if (id !== undefined && id !== null) owner.onServerRequest(value);
      else owner.onNotification(value.method, value, bytes, start, end);
      return;
    }
    const row = typeof id === 'number' ? window.find(id) : -1;
    if (row >= 0) {
      const problem = judgeMessage(value, window.id(row), boundTo(this.rules(row), end - start));
      this.learn(bytes, start, end, row, problem === undefined);
      owner.onAnswer(row, problem, bytes, start, end);
    } else if (owner.onOwnAnswer(value)) {
      return;
    } else if (window.wasUsed(id)) {
      this.counters.lateAnswers++;
    } else if (error !== undefined && (id === null || id === undefined)) {
      // The server could not read the id of our request (JSON-RPC 2.0, 5).
      owner.onStray(judgeError(error), bytes, start, end);
    } else if (isRunId(id)) {
      owner.onStray(crossed(id), bytes, start, end);
    } else
      owner.onStray(violation(`an answer carries ${describeId(id)}, where no request has that id`), bytes, start, end);
  }

  private judgesAll(row: number): boolean {
    return this.memory.templates[this.window.template(row)]?.judgesAll === true;
  }

  private rules(row: number): DrawnRules | undefined {
    const { window, memory, owner } = this;
    const template = memory.templates[window.template(row)];
    if (template === undefined) return undefined;
    const draw = { seed: owner.seed, slot: window.slot(row), sequence: window.sequence(row) };
    return { judge: template.judge, judgesAll: template.judgesAll, draw };
  }

  private learn(bytes: Buffer, start: number, end: number, row: number, correct: boolean): void {
    const { window, memory } = this;
    const id = window.id(row);
    const at = bytes.subarray(start, end).indexOf(String(id), 0, 'latin1');
    if (at >= 0) {
      memory.idFromStart = at;
      memory.idFromEnd = end - start - at;
    }
    const template = window.template(row);
    // A pattern confirms the structure of an answer, not the content of its texts.
    if (!correct || this.judgesAll(row) || !memory.messages.wantsToLearn(template)) return;
    memory.messages.learnt(template, learnPattern(bytes, start, end, start, end, id, memory.messages.get(template)));
  }
}
