/** Which replicas the gateway sends to, from HAProxy's statistics as CSV (management guide, 9.1). Pure. */

export interface GatewayServer {
  readonly backend: string;
  /** `10.0.1.5:3000`; empty for a place without a replica. */
  readonly address: string;
  readonly isUp: boolean;
  /** What its last health check got, such as `L4TOUT`; empty when there was none. */
  readonly check: string;
}

/** Every server of the backends for HTTP; each stickiness has a backend of its own. */
export function gatewayServers(csv: string): readonly GatewayServer[] {
  const [head = '', ...lines] = csv.split('\n');
  const names = cellsOf(head.replace(/^# /, ''));
  const at = (name: string): number => names.indexOf(name);
  const [backend, server, status, address, check] = ['pxname', 'svname', 'status', 'addr', 'check_status'].map(at);
  return lines
    .map(cellsOf)
    .filter((cells) => (cells[backend ?? -1] ?? '').startsWith('servers') && /^mcp\d+$/.test(cells[server ?? -1] ?? ''))
    .map((cells) => ({
      backend: cells[backend ?? -1] ?? '',
      address: cells[address ?? -1] ?? '',
      // `UP 1/2` is about to go down, and `DOWN 1/2` about to come up.
      isUp: /^(?:UP|no check)/.test(cells[status ?? -1] ?? ''),
      // A star marks a check that is still on.
      check: (cells[check ?? -1] ?? '').replace(/^\* /, ''),
    }));
}

/** The cells of a line; texts with commas are in quotes. */
function cellsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

export interface ServerChange {
  readonly address: string;
  readonly isUp: boolean;
  readonly why: string;
}

/** By address: whether all backends send to it. */
export type ServerStates = ReadonlyMap<string, { readonly isUp: boolean; readonly why: string }>;

/** A replica is in only when all backends send to it: a session of any of them may live there. */
export function serverStates(servers: readonly GatewayServer[]): ServerStates {
  const states = new Map<string, { readonly isUp: boolean; readonly why: string }>();
  for (const { backend, address, isUp, check } of servers) {
    // A place that a replica has left keeps its address.
    const isElsewhere =
      !isUp && servers.some((other) => other.backend === backend && other.address === address && other.isUp);
    if (address === '' || isElsewhere) continue;
    const known = states.get(address);
    if (known === undefined || (known.isUp && !isUp)) states.set(address, { isUp, why: isUp ? '' : checkText(check) });
  }
  return states;
}

/** Replicas that were taken out or came (back) in. One that the statistics no longer name has left DNS. */
export function serverChanges(before: ServerStates, now: ServerStates): readonly ServerChange[] {
  const gone = [...before]
    .filter(([address, { isUp }]) => isUp && !now.has(address))
    .map(([address]) => ({ address, isUp: false, why: 'it left DNS' }));
  const changed = [...now]
    .filter(([address, { isUp }]) => (before.get(address)?.isUp ?? false) !== isUp)
    .map(([address, { isUp, why }]) => ({ address, isUp, why }));
  return [...gone, ...changed];
}

const CHECKS: Readonly<Record<string, string>> = {
  L4TOUT: 'no connection in time',
  L4CON: 'no connection',
  L6RSP: 'a wrong answer',
  L7TOUT: 'no answer in time',
  L7RSP: 'a wrong answer',
  L7STS: 'a wrong status',
  SOCKERR: 'a socket error',
};

function checkText(check: string): string {
  const text = CHECKS[check];
  if (check === '' || check.endsWith('OK')) return 'it left DNS';
  return `its health check got ${text === undefined ? check : `${text} (${check})`}`;
}
