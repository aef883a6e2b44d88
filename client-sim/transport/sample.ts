import type { Category, Failure, Problem } from '../measure/failure.js';
import type { Endpoint } from '../protocol/messages.js';
import type { AnswerHead } from './judge-http.js';
import { type RequestKind, requestHeaders } from './request-head.js';
import { parseRetryAfter } from './retry.js';

/**
 * Turns problems into failures: hides secrets, adds the wait that the server asked for, and adds a sample of the
 * exchange to the first failures of a kind.
 */
export class FailureMaker {
  constructor(
    private readonly endpoint: Endpoint,
    private readonly samples: SampleBudget,
  ) {}

  /**
   * @param template number of the operation; -1 for requests of the session itself
   * @param request called only when a sample is wanted
   * @param answer undefined: there was none
   */
  make(
    problem: Problem,
    template: number,
    request: () => string,
    answer?: { readonly text: () => string; readonly retryAfter?: string | undefined },
  ): Failure {
    const retryAfterMs = answer?.retryAfter === undefined ? undefined : parseRetryAfter(answer.retryAfter, Date.now());
    const failure = {
      category: problem.category,
      detail: redact(problem.detail, this.endpoint),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    if (!this.samples.take(problem.category, template)) return failure;
    const show = (text: string): string => clip(redact(text, this.endpoint));
    return { ...failure, sample: { request: show(request()), response: show(answer?.text() ?? '(no answer)') } };
  }
}

/**
 * Samples made of one (template, category). A flood of errors must not cost more than the errors themselves.
 */
const MAX_SAMPLES = 3;

/** Decides which failures get a sample of their exchange. */
export class SampleBudget {
  private readonly made = new Map<string, number>();

  /** Whether to make one more sample; counts it if so. */
  take(category: Category, template: number): boolean {
    const key = `${template} ${category}`;
    const made = this.made.get(key) ?? 0;
    if (made >= MAX_SAMPLES) return false;
    this.made.set(key, made + 1);
    return true;
  }
}

const HIDDEN = '***';

/** Headers whose values hold no secret. All others, and every value that the user supplied, are hidden. */
const SHOWN = new Set([
  'host',
  'user-agent',
  'accept',
  'content-type',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
]);

export function requestText(endpoint: Endpoint, era: 'legacy' | 'modern', kind: RequestKind, body: string): string {
  const { pathname, search } = new URL(endpoint.url);
  const own = new Set(Object.keys(endpoint.headers).map((name) => name.toLowerCase()));
  const lines = requestHeaders(endpoint, era, kind).map(
    ([name, value]) =>
      `${name}: ${(SHOWN.has(name) || name.startsWith('mcp-param-')) && !own.has(name) ? value : HIDDEN}`,
  );
  return [`${kind.verb} ${pathname}${search === '' ? '' : `?${HIDDEN}`} HTTP/1.1`, ...lines, '', body].join('\n');
}

/** The parts of the head that were read, and the body as it came. */
export function responseText(head: AnswerHead, body: string): string {
  const lines = [`HTTP/1.1 ${head.status}`];
  if (head.contentType !== '') lines.push(`content-type: ${head.contentType}`);
  if (head.retryAfter !== '') lines.push(`retry-after: ${head.retryAfter}`);
  if (head.location !== '') lines.push(`location: ${head.location}`);
  return [...lines, '', body].join('\n');
}

/**
 * Hides the user's header values and the environment of a started server wherever they appear: a server may send back
 * what it was given.
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

const MAX_CHARACTERS = 2048;

export function clip(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 3)}...`;
}
