/** The largest message taken, as the SDKs limit HTTP bodies. */
export const LARGEST_MESSAGE_BYTES = 4 * 1024 * 1024;

/** What routing and counting need to know of one message or HTTP request. */
export interface Inbound {
  /** The parsed body; undefined for GET and DELETE. */
  readonly body: unknown;
  /** Its name in the counters: a known method, `batch`, `response`, `invalid`, `other`, or the HTTP method. */
  readonly label: string;
  /** Of `tools/call`. */
  readonly tool: string | undefined;
  /** The caller sent a progress token, so notifications have somewhere to go. */
  readonly wantsProgress: boolean;
}

/** Labels must have few values, so a method that a client made up is `other`. */
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

/** Whether the request asks for a stream that the client keeps open. Shutdown waits for all other requests. */
export function isStream({ label }: Inbound): boolean {
  return label === 'GET' || label === 'subscriptions/listen';
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
