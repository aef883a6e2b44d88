/** What is wrong with an answer or a connection. */
export interface Problem {
  /** Reports group failures by it. */
  readonly category: Category;
  /** One sentence: what was expected and what came. */
  readonly detail: string;
}

/** Why an operation failed. */
export interface Failure extends Problem {
  /** Reports show one for each category. */
  readonly sample?: ExchangeSample;
  /** From `Retry-After`; the client waits so long, within limits of its own. */
  readonly retryAfterMs?: number;
}

export type Category =
  | 'connect'
  | 'timeout'
  | `http_${number}`
  | 'session_lost'
  | `rpc_${number}`
  | 'tool_error'
  | 'expectation'
  | 'protocol_violation'
  /** The answer to another request: its id is that of one which was sent elsewhere. */
  | 'crossed'
  | 'stream_lost'
  /** The server closed a connection that had been idle, just as the request was sent. */
  | 'idle_closed'
  /** The answer is longer than we read: a limit of ours. */
  | 'answer_limit'
  /** We closed the connection or stopped the run before the answer came. */
  | 'aborted_by_us'
  /** This machine had no local port, file descriptor, process or memory left for a connection. */
  | 'exhausted_by_us'
  /** The result of misbehaviour on purpose. */
  | 'provoked_by_us';

/** Text, at most 2 KiB each, secrets redacted. */
interface ExchangeSample {
  readonly request: string;
  readonly response: string;
}
