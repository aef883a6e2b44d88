import type { Problem } from '../mcp/judge-message.js';
import type { Failure } from '../measure/failure.js';
import type { Endpoint } from '../protocol/messages.js';
import { parseRetryAfter } from './http/retry-after.js';
import type { AnswerHead } from './judge-http.js';
import type { RequestKind } from './request-head.js';
import { makeSample, redact, responseText } from './sample.js';
import type { SampleBudget } from './sample-budget.js';

/** The request that failed. */
export interface FailedRequest {
  /** Drawn again, as the body, only when a sample is wanted. */
  kind(): RequestKind;
  /** Of the operation; -1 for requests of the session itself. */
  readonly template: number;
  body(): string;
}

/** The answer to it, as far as one came. */
export interface FailedAnswer {
  readonly head: AnswerHead;
  body(): string;
}

/**
 * Makes failures of problems: secrets redacted, the wait the server asked for, and a sample for the first of a kind.
 */
export class FailureMaker {
  constructor(
    private readonly endpoint: Endpoint,
    private readonly era: 'legacy' | 'modern',
    private readonly samples: SampleBudget,
  ) {}

  make(problem: Problem, request: FailedRequest, answer: FailedAnswer | undefined): Failure {
    const retryAfterMs = answer === undefined ? undefined : parseRetryAfter(answer.head.retryAfter, Date.now());
    const failure = {
      category: problem.category,
      detail: redact(problem.detail, this.endpoint),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    if (!this.samples.take(problem.category, request.template)) return failure;
    const response = answer === undefined ? '(no answer)' : responseText(answer.head, answer.body());
    return {
      ...failure,
      sample: makeSample(this.endpoint, { era: this.era, kind: request.kind(), body: request.body() }, response),
    };
  }
}
