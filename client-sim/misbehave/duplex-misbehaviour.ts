import { CLIENT_INFO } from '../mcp/revisions.js';
import type { Failure } from '../measure/failure.js';
import type { ChannelConfig } from '../transport/channel.js';
import { asControlAnswer, type Control, NOTIFICATION_SENT, readControl } from '../transport/control.js';
import type { LinkLoss } from '../transport/duplex/duplex-link.js';
import { type GreetOutcome, greet, judgeControl } from '../transport/handshake.js';
import { clip, redact } from '../transport/sample.js';
import { answerServerRequest } from '../transport/session-messages.js';
import type { WireShared } from '../transport/shared.js';
import { paceOf } from '../transport/socket/pace.js';
import { MID_ANSWER_PACE } from './http-misbehaviour.js';
import type { ForgedMessage } from './malformed-message.js';
import type { Misbehaviour, MisbehaviourOptions } from './misbehaving-channel.js';
import type { MisbehaveOver, MisbehavingLink, ReadObserver } from './misbehaving-link.js';
import { leftWhenSent } from './misbehaviour-kind.js';

interface DuplexMisbehaviourOptions extends MisbehaviourOptions {
  readonly config: ChannelConfig;
  readonly shared: WireShared;
  readonly misbehaveOver: MisbehaveOver;
}

/** One misdeed in a session of its own, which is opened as it should be, and then spoilt. */
export class DuplexMisbehaviour implements Misbehaviour, ReadObserver {
  observesReads = false;
  private readonly accomplice: MisbehavingLink;
  private awaited: Control | undefined;
  private forged: ForgedMessage | undefined;
  private outcomes = 0;
  private failure: Failure | undefined;
  private over = false;

  constructor(private readonly options: DuplexMisbehaviourOptions) {
    const { misbehaviourKind, config, shared, misbehaveOver } = options;
    const { endpoint, pinned, abort } = config;
    const pace = !misbehaviourKind.startsWith('abort/')
      ? paceOf(config)
      : misbehaviourKind === 'abort/mid-answer'
        ? MID_ANSWER_PACE
        : {};
    this.accomplice = misbehaveOver(this, shared, {
      endpoint,
      pinned,
      connections: 1,
      pipeline: 1,
      ...pace,
      resettable: abort?.how === 'reset',
      bare: misbehaviourKind === 'abort/mid-handshake',
    });
  }

  begin(): void {
    this.accomplice.link.connect();
  }

  cancel(): void {
    this.over = true;
    this.accomplice.link.cut(false);
  }

  onReady(): void {
    const {
      misbehaviourKind,
      config: { pinned, clientInfo },
    } = this.options;
    if (misbehaviourKind === 'abort/mid-handshake' || pinned.era === 'modern') return this.soon();
    greet(
      (_kind, body, control) => this.control(body, control),
      pinned.version,
      clientInfo ?? CLIENT_INFO,
      (outcome) => this.greeted(outcome),
    );
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    const { shared, id } = this.options;
    shared.counters.messagesReceived++;
    const awaited = this.awaited;
    if (this.over || (awaited === undefined && this.forged === undefined)) return;
    const read = readControl(bytes, start, end, awaited === undefined ? id : awaited.id);
    if (read.kind === 'request') this.accomplice.link.say(answerServerRequest(read.request));
    if (read.kind !== 'answer') return;
    if (awaited === undefined) return this.answered(read.text);
    this.awaited = undefined;
    awaited.done({ kind: 'answered', answer: asControlAnswer(read.text) });
  }

  onReadOver(): void {
    this.leave('after the first bytes of its answer');
  }

  onLost({ problem, answer }: LinkLoss): void {
    // What comes before the deed says nothing of it.
    if (this.forged === undefined)
      return this.end({
        category: 'connect',
        detail: `${this.options.misbehaviourKind}: there was no session to do it in: ${problem.detail}`,
      });
    this.end(this.describe(problem, answer === '' ? '(no answer)' : answer));
  }

  onRefusedRequest(): void {}
  onDrained(): void {}

  private control(body: string, control: Control): void {
    if (control.id !== undefined) this.awaited = control;
    this.accomplice.link.say(body);
    if (control.id === undefined) control.done({ kind: 'answered', answer: NOTIFICATION_SENT });
  }

  private greeted(outcome: GreetOutcome): void {
    if (outcome.kind === 'greeted') return this.soon();
    const { detail } = outcome.kind === 'failed' ? outcome.failure : outcome.problem;
    this.end({
      category: 'connect',
      detail: `${this.options.misbehaviourKind}: there was no session to do it in: ${detail}`,
    });
  }

  /** What is sent within a read would leave only at its end. */
  private soon(): void {
    setImmediate(() => {
      if (!this.over) this.commit();
    });
  }

  private commit(): void {
    const { misbehaviourKind, id, body, config } = this.options;
    const { link, forge } = this.accomplice;
    this.forged = forge(
      misbehaviourKind,
      { endpoint: config.endpoint, era: config.pinned.era, id, body },
      config.malformed?.oversizeBytes ?? 0,
    );
    this.observesReads = misbehaviourKind === 'abort/mid-answer';
    link.raw(this.forged.pieces, () => {
      const when = leftWhenSent(misbehaviourKind);
      if (when !== undefined) this.leave(when);
    });
  }

  private leave(when: string): void {
    this.end({ category: 'aborted_by_us', detail: `the connection of this request was closed on purpose ${when}` });
  }

  private answered(text: string): void {
    const { id, config } = this.options;
    const problem = judgeControl(asControlAnswer(text), id, config.pinned.era);
    if (problem !== undefined) this.failure ??= this.describe(problem, text);
    // Of two requests with one id the server may refuse either.
    if (++this.outcomes >= (this.forged?.answers ?? 0)) this.end(this.failure);
  }

  private describe({ category, detail }: Failure, response: string): Failure {
    const {
      misbehaviourKind,
      config: { endpoint },
    } = this.options;
    const show = (text: string): string => clip(redact(text, endpoint));
    return {
      category,
      detail: `${misbehaviourKind}: ${redact(detail, endpoint)}`,
      sample: { request: show(this.forged?.text ?? ''), response: show(response) },
    };
  }

  private end(failure: Failure | undefined): void {
    if (this.over) return;
    this.over = true;
    this.accomplice.link.cut(failure?.category === 'aborted_by_us' && this.options.config.abort?.how === 'reset');
    this.options.done(failure);
  }
}
