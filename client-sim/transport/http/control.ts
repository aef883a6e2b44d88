import type { Failure } from '../../measure/failure.js';
import type { AnswerHead } from '../judge-http.js';

/**
 * A request of the session itself (handshake, goodbye, answers to the server), not of the load: seldom, so it may
 * allocate.
 */
export interface Control {
  /** Of the JSON-RPC answer awaited; undefined: the end of the HTTP answer is all there is. */
  readonly id: number | undefined;
  done(outcome: ControlOutcome): void;
}

export type ControlOutcome =
  | { readonly kind: 'answered'; readonly answer: ControlAnswer }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface ControlAnswer extends AnswerHead {
  /** '' when the header is absent. */
  readonly sessionId: string;
  /** Number of the replica that answered; 0: not known. */
  readonly replica: number;
  /** The JSON body; of an event stream the message with the awaited id, '' when it never came. */
  readonly body: string;
  /** All messages of an event stream, the awaited one included. */
  readonly messages: readonly string[];
}
