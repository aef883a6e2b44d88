/** The configuration of the gateway in front of the replicas, for HAProxy 2.6 and later. */

export const STICKINESS = ['session', 'cookie', 'source', 'none'] as const;

/**
 * Which replica gets a request:
 * - `session`: the one that answered with this Mcp-Session-Id, learned from answers; without an id, any replica
 * - `cookie`: the one named by a cookie, for clients that keep cookies
 * - `source`: one chosen by the client's address
 * - `none`: each in turn
 */
export type Stickiness = (typeof STICKINESS)[number];

/**
 * Inside the stack's networks each stickiness has a port of its own besides 8080, so that the clients of one run can
 * use different ones, at the same gateway in front of the same replicas.
 */
export const STICKY_PORTS = { session: 8081, cookie: 8082, source: 8083, none: 8084 } as const satisfies Record<
  Stickiness,
  number
>;

export interface GatewayOptions {
  /** Stickiness of the published port, 8080. */
  readonly sticky: Stickiness;
  /** The most replicas that the gateway finds. */
  readonly maxServers: number;
  /** Short name of a service in the same stack. */
  readonly service: string;
  readonly port: number;
  /** The port of the service for WebSocket and plain TCP. */
  readonly streamPort: number;
  /** A healthy replica answers this path with 200; undefined: accepting a TCP connection is enough. */
  readonly healthPath: string | undefined;
}

export const GATEWAY_DEFAULTS: GatewayOptions = {
  sticky: 'session',
  maxServers: 64,
  service: 'mcp-server',
  port: 3000,
  streamPort: 5555,
  healthPath: '/healthz',
};

export function renderGateway(options: Partial<GatewayOptions> = {}): string {
  const settings = { ...GATEWAY_DEFAULTS, ...options };
  return [
    HEAD,
    ...frontends(settings.sticky),
    STREAM,
    ...STICKINESS.map((sticky) => backend(sticky, settings)),
    streamBackend(settings),
    OBSERVE,
  ].join('\n');
}

const HEAD = `# Made by swarm/gateway/render-gateway.ts; node tools/generate.mjs writes it again.
global
    log stdout format raw local0 info
    # No maxconn: HAProxy takes it from the limit on open files, and refuses to start when told more.

resolvers docker
    nameserver engine 127.0.0.11:53
    resolve_retries 3
    timeout resolve 1s
    timeout retry 1s
    # A task that is stopped leaves DNS about two seconds before it is told to end: asking each second loses nothing.
    hold valid 1s
    hold obsolete 2s
    hold nx 3s
    hold other 3s
    hold timeout 3s
    hold refused 3s
    # One answer carries the addresses of all tasks.
    accepted_payload_size 8192

defaults
    mode http
    log global
    option httplog
    # A line for each failed request only.
    option dontlog-normal
    option dontlognull
    # Otherwise a client that gave up stays counted on a dead replica, and leastconn shuns the one that takes its slot.
    option abortonclose
    option http-keep-alive
    option redispatch 1
    retries 2
    timeout connect 1s
    # A replica on a busy machine is slow and not gone. One that takes no connections is out after two of the above.
    timeout check 1500ms
    timeout http-request 10s
    timeout queue 5s
    # Event streams stay open.
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
`;

const STREAM = `frontend stream
    mode tcp
    option tcplog
    bind :5555
    default_backend stream_servers
`;

const OBSERVE = `frontend observe
    bind :8404
    http-request use-service prometheus-exporter if { path /metrics }
    http-request return status 200 content-type text/plain string ok if { path /healthz }
    stats enable
    stats uri /stats
    # With addresses, which tell the replica behind a place.
    stats show-legends
    stats refresh 5s
`;

const STICKY_LINES = {
  session: [
    'balance leastconn',
    'stick-table type string len 128 size 1m expire 30m',
    'stick store-response res.hdr(Mcp-Session-Id)',
    'stick match req.hdr(Mcp-Session-Id)',
  ],
  // Dynamic, because the servers of a template have no names to put into a cookie. The key is no secret; it only makes
  // the cookie's value ours.
  cookie: [
    'balance leastconn',
    'dynamic-cookie-key swarmbench',
    'cookie SWARMBENCH_REPLICA insert indirect nocache dynamic',
  ],
  source: ['balance source', 'hash-type consistent'],
  none: ['balance roundrobin'],
} as const satisfies Record<Stickiness, readonly string[]>;

function frontends(published: Stickiness): readonly string[] {
  return [
    section('frontend mcp', ['bind :8080', `default_backend ${backendOf(published, published)}`]),
    ...STICKINESS.map((sticky) =>
      section(`frontend mcp_${sticky}`, [
        `bind :${STICKY_PORTS[sticky]}`,
        `default_backend ${backendOf(sticky, published)}`,
      ]),
    ),
  ];
}

/** The published stickiness keeps the plain name, which dashboards and alerts use. */
function backendOf(sticky: Stickiness, published: Stickiness): string {
  return sticky === published ? 'servers' : `servers_${sticky}`;
}

function backend(sticky: Stickiness, { sticky: published, port, ...rest }: GatewayOptions): string {
  return section(`backend ${backendOf(sticky, published)}`, [
    ...STICKY_LINES[sticky],
    ...healthCheck(rest.healthPath),
    // Names the replica that answered, for servers that do not name themselves: the address is that of a task.
    'http-response set-header X-Swarmbench-Server %si:%sp',
    serverTemplate('mcp', port, rest),
  ]);
}

function streamBackend({ sticky, streamPort, ...rest }: GatewayOptions): string {
  // A connection is a session and stays at its replica; by address, all clients of a worker would be at the same one.
  const stick = sticky === 'source' ? ['stick-table type ip size 1m expire 30m', 'stick on src'] : [];
  return section('backend stream_servers', [
    'mode tcp',
    'balance leastconn',
    ...stick,
    serverTemplate('stream', streamPort, rest),
  ]);
}

function healthCheck(path: string | undefined): readonly string[] {
  return path === undefined ? [] : [`option httpchk GET ${path}`, 'http-check expect status 200'];
}

function serverTemplate(
  prefix: string,
  port: number,
  { maxServers, service }: Pick<GatewayOptions, 'maxServers' | 'service'>,
): string {
  return (
    `server-template ${prefix} 1-${maxServers} tasks.${service}:${port} check inter 1s fall 2 rise 1 ` +
    'resolvers docker resolve-prefer ipv4 init-addr none on-marked-down shutdown-sessions'
  );
}

function section(head: string, lines: readonly string[]): string {
  return `${head}\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

/**
 * The configurations in this folder, by file name, for `docker stack deploy` without swarmbench. `tools/generate.mjs`
 * writes them.
 */
export function gatewayFiles(): ReadonlyMap<string, string> {
  return new Map(STICKINESS.map((sticky) => [`haproxy.${sticky}.cfg`, renderGateway({ sticky })]));
}
