/**
 * Why an operation did not succeed. The category is what reports group by (design: measurement 5); the rest is the
 * first sample of it that the report shows, already redacted and bounded.
 */
export interface Failure {
  readonly category: Category;
  /** One sentence: what was expected, what came. */
  readonly detail: string;
  readonly sample?: ExchangeSample;
  /** From `Retry-After`; the client holds back this long (bounded by the client). */
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
  | 'stream_lost'
  /** We closed the connection or stopped the run while it was on its way. */
  | 'aborted_by_us'
  /** We misbehaved on purpose, and this is what came of it. */
  | 'provoked_by_us';

/** Text, at most 2 KiB each, secrets redacted. */
export interface ExchangeSample {
  readonly request: string;
  readonly response: string;
}
