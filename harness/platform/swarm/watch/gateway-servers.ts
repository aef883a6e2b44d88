/** Which replicas the gateway sends to, from HAProxy's statistics as CSV (management guide, 9.1). Pure. */

export interface GatewayServer {
  readonly backend: string;
  /** Its place in the backend, such as `mcp1`. */
  readonly place: string;
  /** `10.0.1.5:3000`; empty for a place without a replica. */
  readonly address: string;
  readonly isUp: boolean;
  /** What its last health check got, such as `L4TOUT`; empty when there was none. */
  readonly check: string;
  /** How often its health checks have taken it out since the gateway began, and for how many seconds in total. */
  readonly timesOut: number;
  readonly secondsOut: number;
  /** Seconds since it was last taken out or back. */
  readonly secondsSinceChange: number;
}

/** Every server of the backends for HTTP; each stickiness has a backend of its own. */
export function gatewayServers(csv: string): readonly GatewayServer[] {
  const [head = '', ...lines] = csv.split('\n');
  const names = cellsOf(head.replace(/^# /, ''));
  const at = (name: string): number => names.indexOf(name);
  const [backend, server, status, address, check] = ['pxname', 'svname', 'status', 'addr', 'check_status'].map(at);
  const [timesOut, secondsOut, sinceChange] = ['chkdown', 'downtime', 'lastchg'].map(at);
  const count = (cells: readonly string[], column: number | undefined): number => Number(cells[column ?? -1] ?? 0) || 0;
  return lines
    .map(cellsOf)
    .filter((cells) => (cells[backend ?? -1] ?? '').startsWith('servers') && /^mcp\d+$/.test(cells[server ?? -1] ?? ''))
    .map((cells) => ({
      backend: cells[backend ?? -1] ?? '',
      place: cells[server ?? -1] ?? '',
      address: cells[address ?? -1] ?? '',
      // `UP 1/2` is about to go down, and `DOWN 1/2` about to come up.
      isUp: /^(?:UP|no check)/.test(cells[status ?? -1] ?? ''),
      // A star marks a check that is still on.
      check: (cells[check ?? -1] ?? '').replace(/^\* /, ''),
      timesOut: count(cells, timesOut),
      secondsOut: count(cells, secondsOut),
      secondsSinceChange: count(cells, sinceChange),
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
  /** How long ago it happened; 0 where the statistics do not say. */
  readonly secondsAgo: number;
}

export interface ServerState {
  /** Whether all backends send to it. */
  readonly isUp: boolean;
  readonly why: string;
  /** Its places in the backends, such as `servers/mcp1`. */
  readonly places: ReadonlyMap<string, GatewayServer>;
}

/** By address. */
export type ServerStates = ReadonlyMap<string, ServerState>;

/** A replica is in only when all backends send to it: a session of any of them may live there. */
export function serverStates(servers: readonly GatewayServer[]): ServerStates {
  const states = new Map<string, { isUp: boolean; why: string; places: Map<string, GatewayServer> }>();
  for (const server of servers) {
    const { backend, address, isUp, check } = server;
    // A place that a replica has left keeps its address.
    const isElsewhere =
      !isUp && servers.some((other) => other.backend === backend && other.address === address && other.isUp);
    if (address === '' || isElsewhere) continue;
    const known = states.get(address) ?? { isUp: true, why: '', places: new Map() };
    states.set(address, known);
    known.places.set(`${backend}/${server.place}`, server);
    if (!known.isUp || isUp) continue;
    known.isUp = false;
    known.why = checkText(check);
  }
  return states;
}

/**
 * Replicas that were taken out or came (back) in. One that the statistics no longer name has left DNS; one that was out
 * and is back between the two looks is known by the gateway's count of it.
 */
export function serverChanges(before: ServerStates, now: ServerStates): readonly ServerChange[] {
  const gone = [...before]
    .filter(([address, { isUp }]) => isUp && !now.has(address))
    .map(([address]) => ({ address, isUp: false, why: 'it left DNS', secondsAgo: 0 }));
  const changed = [...now]
    .filter(([address, { isUp }]) => (before.get(address)?.isUp ?? false) !== isUp)
    .map(([address, { isUp, why }]) => ({ address, isUp, why, secondsAgo: 0 }));
  const outAndBack = [...now].flatMap(([address, state]) => changesUnseen(address, before.get(address), state));
  return [...gone, ...changed, ...outAndBack];
}

/** Of a replica that is in at both looks. */
function changesUnseen(address: string, before: ServerState | undefined, now: ServerState): readonly ServerChange[] {
  if (before?.isUp !== true || !now.isUp) return [];
  const outages = [...now.places].flatMap(([place, { timesOut, secondsOut, secondsSinceChange }]) => {
    const known = before.places.get(place);
    if (known === undefined || timesOut <= known.timesOut) return [];
    return [{ backAgo: secondsSinceChange, outAgo: secondsSinceChange + Math.max(0, secondsOut - known.secondsOut) }];
  });
  if (outages.length === 0) return [];
  const why = 'its health check failed, and was well again at the next look';
  return [
    { address, isUp: false, why, secondsAgo: Math.max(...outages.map(({ outAgo }) => outAgo)) },
    { address, isUp: true, why: '', secondsAgo: Math.min(...outages.map(({ backAgo }) => backAgo)) },
  ];
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
