import { secretsOfUrl, shownUrl } from '../../scenarios/schema/redact.js';
import type { Category, Failure, Problem } from '../measure/failure.js';
import { MessageShapes } from '../measure/message-shapes.js';
import type { Endpoint } from '../protocol/messages.js';
import { MOST_SAMPLES_OF_CATEGORY } from '../protocol/telemetry.js';
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
    if (!this.samples.take(problem, template)) return failure;
    const show = (text: string): string => clip(redact(text, this.endpoint));
    return { ...failure, sample: { request: show(request()), response: show(answer?.text() ?? '(no answer)') } };
  }
}

/** Samples made of one (template, category) whose messages are alike: each costs more than its error. */
const MAX_SAMPLES = 3;

/** Decides which failures get a sample of their exchange. */
export class SampleBudget {
  private readonly made = new Map<string, Map<string, number>>();
  private readonly shapes = new MessageShapes();

  /** Whether to make one more sample; counts it if so. */
  take({ category, detail }: { readonly category: Category; readonly detail: string }, template: number): boolean {
    const key = `${template} ${category}`;
    const known = this.made.get(key) ?? new Map<string, number>();
    this.made.set(key, known);
    const shape = this.shapes.of(key, detail);
    if (shape === undefined) return false;
    const made = known.get(shape) ?? 0;
    if (made >= MAX_SAMPLES || (made === 0 && known.size >= MOST_SAMPLES_OF_CATEGORY)) return false;
    known.set(shape, made + 1);
    return true;
  }
}

const HIDDEN = '***';

/** Headers whose values hold no secret. All others, and every value that the user supplied, are hidden. */
const SHOWN = new Set([
  'host',
  'user-agent',
  'accept',
  'accept-encoding',
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
  if (head.authenticate !== '') lines.push(`www-authenticate: ${head.authenticate}`);
  return [...lines, '', body].join('\n');
}

/**
 * Hides the user's header values, the query of the URL and the environment of a started server wherever they appear: a
 * server may send back what it was given.
 */
export function redact(text: string, endpoint: Endpoint): string {
  let shown = text;
  for (const [secret, instead] of replacementsFor(endpoint)) shown = shown.replaceAll(secret, instead);
  return shown;
}

/** A shorter value would be found in every other word. */
const MIN_SECRET_LENGTH = 4;

const replacements = new WeakMap<Endpoint, readonly (readonly [secret: string, instead: string])[]>();

/** The longest first, because one may hold another. Kept, so that a flood of errors costs no more than the errors. */
function replacementsFor(endpoint: Endpoint): readonly (readonly [secret: string, instead: string])[] {
  const known = replacements.get(endpoint);
  if (known !== undefined) return known;
  const { url, headers, server } = endpoint;
  const values = [...Object.values(headers), ...Object.values(server?.env ?? {}), ...secretsOfUrl(url)];
  // `Bearer TOKEN` may come back as the token alone.
  const secrets = values
    .flatMap((value) => [value, value.slice(value.indexOf(' ') + 1)])
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH);
  const query = URL.canParse(url) ? new URL(url).search : '';
  const found = [
    ...(shownUrl(url) === url ? [] : [[url, shownUrl(url)] as const]),
    ...(query === '' ? [] : [[query, `?${HIDDEN}`] as const]),
    ...[...new Set(secrets)].toSorted((a, b) => b.length - a.length).map((secret) => [secret, HIDDEN] as const),
  ];
  replacements.set(endpoint, found);
  return found;
}

const MAX_CHARACTERS = 2048;

export function clip(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 3)}...`;
}
