import type { Problem } from '../mcp/judge-message.js';
import type { Category, ExchangeSample, Failure } from '../measure/failure.js';
import type { Endpoint } from '../protocol/messages.js';
import type { AnswerHead } from './judge-http.js';
import { type RequestKind, requestHeaders } from './request-head.js';
import { parseRetryAfter } from './retry.js';

const MAX_CHARACTERS = 2048;
const HIDDEN = '***';

/** Headers whose values say nothing secret. All others, and every value the user supplied, are hidden. */
const SHOWN = new Set([
  'host',
  'user-agent',
  'accept',
  'content-type',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
]);

/** Request and answer as text for a report: bounded, secrets hidden. */
function makeSample(
  endpoint: Endpoint,
  request: { readonly era: 'legacy' | 'modern'; readonly kind: RequestKind; readonly body: string },
  response: string,
): ExchangeSample {
  return {
    request: clip(redact(requestText(endpoint, request.era, request.kind, request.body), endpoint)),
    response: clip(redact(response, endpoint)),
  };
}

export function requestText(endpoint: Endpoint, era: 'legacy' | 'modern', kind: RequestKind, body: string): string {
  const { pathname, search } = new URL(endpoint.url);
  const own = new Set(Object.keys(endpoint.headers).map((name) => name.toLowerCase()));
  const lines = requestHeaders(endpoint, era, kind).map(
    ([name, value]) =>
      `${name}: ${(SHOWN.has(name) || name.startsWith('mcp-param-')) && !own.has(name) ? value : HIDDEN}`,
  );
  return [`${kind.verb} ${pathname}${search === '' ? '' : `?${HIDDEN}`} HTTP/1.1`, ...lines, '', body].join('\n');
}

/** The head as far as it was read; the body as it came. */
export function responseText(head: AnswerHead, body: string): string {
  const lines = [`HTTP/1.1 ${head.status}`];
  if (head.contentType !== '') lines.push(`content-type: ${head.contentType}`);
  if (head.retryAfter !== '') lines.push(`retry-after: ${head.retryAfter}`);
  if (head.location !== '') lines.push(`location: ${head.location}`);
  return [...lines, '', body].join('\n');
}

/**
 * A server may send back what it was given: the user's header values, and those of a server's environment, are hidden
 * wherever they are.
 */
export function redact(text: string, endpoint: Endpoint): string {
  let shown = text;
  for (const value of [...Object.values(endpoint.headers), ...Object.values(endpoint.server?.env ?? {})]) {
    if (value.length < 4) continue;
    // `Bearer TOKEN` may come back as the token alone.
    for (const secret of [value, value.slice(value.indexOf(' ') + 1)])
      if (secret.length >= 4) shown = shown.replaceAll(secret, HIDDEN);
  }
  return shown;
}

export function clip(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 3)}...`;
}

/**
 * Samples of one (template, category) beyond this are not made: under a flood of errors they would cost more than the
 * errors.
 */
const KEPT = 3;

/** Which failures still get their exchange recorded. */
export class SampleBudget {
  private readonly made = new Map<string, number>();

  /** Whether to record one more; counts it when so. */
  take(category: Category, template: number): boolean {
    const key = `${template} ${category}`;
    const made = this.made.get(key) ?? 0;
    if (made >= KEPT) return false;
    this.made.set(key, made + 1);
    return true;
  }
}

/** The request that failed. */
interface FailedRequest {
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
