/** What one HTTP request carries, as far as routing and counting need to know. */
export interface Inbound {
  /** The parsed body; undefined for GET and DELETE. */
  readonly body: unknown;
  /** What counters call it: a known method, `batch`, `response`, `invalid`, `other`, or the HTTP method. */
  readonly label: string;
  /** Of `tools/call`. */
  readonly tool: string | undefined;
  /** The caller sent a progress token, so notifications have somewhere to go. */
  readonly wantsProgress: boolean;
}

/** Labels have few values: a method a client made up is `other`. */
const knownMethods: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'subscriptions/listen',
  'logging/setLevel',
  'completion/complete',
  'tools/call',
  'tools/list',
  'prompts/get',
  'prompts/list',
  'resources/read',
  'resources/list',
  'resources/templates/list',
  'resources/subscribe',
  'resources/unsubscribe',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
]);

export function withoutBody(httpMethod: string): Inbound {
  return { body: undefined, label: httpMethod, tool: undefined, wantsProgress: false };
}

export function describe(body: unknown): Inbound {
  if (Array.isArray(body)) return { body, label: 'batch', tool: undefined, wantsProgress: false };
  const method = field(body, 'method');
  if (typeof method !== 'string') {
    const label = field(body, 'result') === undefined && field(body, 'error') === undefined ? 'invalid' : 'response';
    return { body, label, tool: undefined, wantsProgress: false };
  }
  const params = field(body, 'params');
  const name = method === 'tools/call' ? field(params, 'name') : undefined;
  return {
    body,
    label: knownMethods.has(method) ? method : 'other',
    tool: typeof name === 'string' ? name : undefined,
    wantsProgress: field(field(params, '_meta'), 'progressToken') !== undefined,
  };
}

/** Asks for a stream that the client keeps open; what is under way at the end waits for others, not for these. */
export function isStream({ label }: Inbound): boolean {
  return label === 'GET' || label === 'subscriptions/listen';
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
