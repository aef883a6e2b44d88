import { createHash, randomBytes } from 'node:crypto';
import { violation } from '../../mcp/judge-message.js';
import { CLIENT_INFO } from '../../mcp/revisions.js';
import type { Problem } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';

/** The opening handshake (RFC 6455, 4), client's side. */

/** The name that the official SDK's WebSocket client uses. */
const SUBPROTOCOL = 'mcp';
/** RFC 6455, 1.3: proves that the server understood the handshake. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const BLANK_LINE = '\r\n\r\n';
const MAX_HEAD_BYTES = 65_536;

export function newKey(): string {
  return randomBytes(16).toString('base64');
}

function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** @throws TypeError for a header of the handshake itself */
export function checkUpgradeHeaders({ headers }: Endpoint): void {
  const own = Object.keys(headers).find((name) => /^sec-websocket-/i.test(name));
  if (own !== undefined)
    throw new TypeError(
      `header ${own} cannot be set: it belongs to the WebSocket handshake; remove it from the target's headers`,
    );
}

export function upgradeRequest(endpoint: Endpoint, key: string): Buffer {
  const { host, pathname, search } = new URL(endpoint.url);
  const headers = new Map<string, string>([
    ['host', host],
    ['user-agent', `${CLIENT_INFO.name}/${CLIENT_INFO.version}`],
    ['connection', 'Upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-protocol', SUBPROTOCOL],
    ['sec-websocket-key', key],
  ]);
  for (const [name, value] of Object.entries(endpoint.headers)) headers.set(name.toLowerCase(), value);
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\n${lines}\r\n`, 'latin1');
}

type UpgradeAnswer =
  | { readonly kind: 'more' }
  /** Frames follow from this offset in the last bytes read. */
  | { readonly kind: 'accepted'; readonly next: number }
  | { readonly kind: 'refused'; readonly problem: Problem; readonly retryAfter: string; readonly head: string };

/** Reads the answer to the upgrade request, however it is split. */
export class UpgradeReader {
  private held = '';

  constructor(private readonly key: string) {}

  /** No byte of the answer has been read yet. */
  get idle(): boolean {
    return this.held === '';
  }

  read(bytes: Buffer, end: number): UpgradeAnswer {
    const before = this.held.length;
    this.held += bytes.toString('latin1', 0, end);
    const blank = this.held.indexOf(BLANK_LINE, Math.max(0, before - 3));
    if (blank < 0) {
      if (this.held.length <= MAX_HEAD_BYTES && 'HTTP/1.'.startsWith(this.held.slice(0, 7))) return { kind: 'more' };
      return this.refuse(
        violation('the answer to the upgrade request is not the head of an HTTP/1.1 answer'),
        '',
        this.held,
      );
    }
    const head = this.held.slice(0, blank);
    return this.judge(head) ?? { kind: 'accepted', next: blank + BLANK_LINE.length - before };
  }

  private judge(head: string): UpgradeAnswer | undefined {
    const [statusLine = '', ...lines] = head.split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1] ?? 0);
    const headers = headersOf(lines);
    const header = (name: string): string => headers.get(name) ?? '';
    if (status < 100)
      return this.refuse(
        violation('the answer to the upgrade request has a status line that is not HTTP/1.x NNN'),
        '',
        head,
      );
    if (status !== 101)
      return this.refuse(
        { category: `http_${status}`, detail: `HTTP ${status} to the WebSocket upgrade, where 101 was due` },
        header('retry-after'),
        head,
      );
    const problem = this.problemOf(header);
    return problem === undefined ? undefined : this.refuse(violation(problem), '', head);
  }

  private problemOf(header: (name: string) => string): string | undefined {
    if (header('upgrade').toLowerCase() !== 'websocket')
      return `101 with upgrade: ${header('upgrade') || '(none)'}, not websocket`;
    if (
      !header('connection')
        .toLowerCase()
        .split(',')
        .some((token) => token.trim() === 'upgrade')
    )
      return `101 with connection: ${header('connection') || '(none)'}, not Upgrade`;
    if (header('sec-websocket-accept') !== acceptOf(this.key))
      return 'sec-websocket-accept does not match our key: the server did not do the WebSocket handshake with us';
    if (header('sec-websocket-extensions') !== '')
      return `extensions ${header('sec-websocket-extensions')}, although none was offered`;
    // A server that speaks only MCP may name no subprotocol.
    const subprotocol = header('sec-websocket-protocol');
    return subprotocol === '' || subprotocol === SUBPROTOCOL
      ? undefined
      : `the subprotocol ${subprotocol}, although only ${SUBPROTOCOL} was offered`;
  }

  private refuse(problem: Problem, retryAfter: string, head: string): UpgradeAnswer {
    return { kind: 'refused', problem, retryAfter, head };
  }
}

function headersOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}
