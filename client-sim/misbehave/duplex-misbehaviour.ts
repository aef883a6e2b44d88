import { CLIENT_INFO } from '../mcp/revisions.js';
import type { Failure, Problem } from '../measure/failure.js';
import type { ChannelConfig } from '../transport/channel.js';
import { asControlAnswer, type Control, NOTIFICATION_SENT, readControl } from '../transport/control.js';
import type { LinkLoss } from '../transport/duplex/duplex-link.js';
import { type InitializeOutcome, initialize, judgeControl } from '../transport/handshake.js';
import { clip, redact } from '../transport/sample.js';
import { answerServerRequest } from '../transport/session-messages.js';
import type { ProfileShared } from '../transport/shared.js';
import { type Pace, paceOf } from '../transport/socket/pace.js';
import type { ForgedMessage } from './malformed-message.js';
import type { MisbehaveOver, MisbehavingLink, ReadObserver } from './misbehaving-link.js';
import {
  CLOSED_WITHIN_ANSWER,
  closedAfterSending,
  closedOnPurpose,
  MID_ANSWER_PACE,
  type Misbehaviour,
  type MisbehaviourOptions,
} from './misbehaviour.js';

interface DuplexMisbehaviourOptions extends MisbehaviourOptions {
  readonly config: ChannelConfig;
  readonly shared: ProfileShared;
  readonly misbehaveOver: MisbehaveOver;
}

/** One operation that misbehaves in a session of its own, which is opened properly. */
export class DuplexMisbehaviour implements Misbehaviour, ReadObserver {
  observesReads = false;
  private readonly misbehaving: MisbehavingLink;
  /** The handshake's request, while it waits for its answer. */
  private awaited: Control | undefined;
  private forged: ForgedMessage | undefined;
  private outcomes = 0;
  private failure: Failure | undefined;
  private over = false;

  constructor(private readonly options: DuplexMisbehaviourOptions) {
    const { misbehaviourKind, config, shared, misbehaveOver } = options;
    const { endpoint, pinned, abort } = config;
    this.misbehaving = misbehaveOver(this, shared, {
      endpoint,
      pinned,
      connections: 1,
      pipeline: 1,
      ...this.pace(),
      resettable: abort?.how === 'reset',
      bare: misbehaviourKind === 'abort/mid-handshake',
    });
  }

  begin(): void {
    this.misbehaving.link.connect();
  }

  cancel(): void {
    this.over = true;
    this.misbehaving.link.destroy(false);
  }

  onReady(): void {
    const { misbehaviourKind, config } = this.options;
    const { pinned, clientInfo } = config;
    if (misbehaviourKind === 'abort/mid-handshake' || pinned.era === 'modern') return this.misbehaveSoon();
    initialize(
      (_kind, body, control) => this.sendControl(body, control),
      pinned.version,
      { clientInfo: clientInfo ?? CLIENT_INFO, id: this.options.shared.misbehavingIds.take() },
      (outcome) => this.initialized(outcome),
    );
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    const { shared, id } = this.options;
    shared.counters.messagesReceived++;
    const awaited = this.awaited;
    if (this.over || (awaited === undefined && this.forged === undefined)) return;
    const read = readControl(bytes, start, end, awaited === undefined ? id : awaited.id);
    if (read.kind === 'request') this.misbehaving.link.sendMessage(answerServerRequest(read.request));
    if (read.kind !== 'answer') return;
    if (awaited === undefined) return this.answered(read.text);
    this.awaited = undefined;
    awaited.done({ kind: 'answered', answer: asControlAnswer(read.text) });
  }

  onReadObserved(): void {
    this.end(closedOnPurpose(CLOSED_WITHIN_ANSWER));
  }

  onLost({ problem, answer }: LinkLoss): void {
    // A loss before the misbehaviour is no reaction to it.
    if (this.forged === undefined) return this.endWithoutSession(problem);
    this.end(this.makeFailure(problem, answer === '' ? '(no answer)' : answer));
  }

  onRefusedRequest(): void {}
  onDrained(): void {}

  private sendControl(body: string, control: Control): void {
    if (control.id !== undefined) this.awaited = control;
    this.misbehaving.link.sendMessage(body);
    if (control.id === undefined) control.done({ kind: 'answered', answer: NOTIFICATION_SENT });
  }

  private initialized(outcome: InitializeOutcome): void {
    if (outcome.kind === 'initialized') this.misbehaveSoon();
    else this.endWithoutSession(outcome.kind === 'failed' ? outcome.failure : outcome.problem);
  }

  private endWithoutSession({ detail }: Problem): void {
    this.end({
      category: 'connect',
      detail: `${this.options.misbehaviourKind}: there was no session for it: ${detail}`,
    });
  }

  /** Not within a read: bytes sent within it leave only at its end. */
  private misbehaveSoon(): void {
    setImmediate(() => {
      if (!this.over) this.misbehave();
    });
  }

  private misbehave(): void {
    const { misbehaviourKind, id, body, config } = this.options;
    const { link, forge } = this.misbehaving;
    this.forged = forge(
      misbehaviourKind,
      { endpoint: config.endpoint, era: config.pinned.era, id, body },
      config.malformed?.oversizeBytes ?? 0,
    );
    this.observesReads = misbehaviourKind === 'abort/mid-answer';
    link.sendRaw(this.forged.pieces, () => {
      const when = closedAfterSending(misbehaviourKind);
      if (when !== undefined) this.end(closedOnPurpose(when));
    });
  }

  private answered(text: string): void {
    const { id, config } = this.options;
    const problem = judgeControl(asControlAnswer(text), id, config.pinned.era);
    if (problem !== undefined) this.failure ??= this.makeFailure(problem, text);
    // The server may refuse either of two requests with one id.
    if (++this.outcomes >= (this.forged?.answers ?? 0)) this.end(this.failure);
  }

  private pace(): Pace {
    const { misbehaviourKind, config } = this.options;
    if (!misbehaviourKind.startsWith('abort/')) return paceOf(config);
    return misbehaviourKind === 'abort/mid-answer' ? MID_ANSWER_PACE : {};
  }

  private makeFailure({ category, detail }: Problem, response: string): Failure {
    const { misbehaviourKind, config } = this.options;
    const { endpoint } = config;
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
    this.misbehaving.link.destroy(failure?.category === 'aborted_by_us' && this.options.config.abort?.how === 'reset');
    this.options.done(failure);
  }
}
