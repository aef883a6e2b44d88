import { deploy } from './deploy-shape.js';
import {
  command,
  duration,
  either,
  flag,
  integer,
  listOf,
  names,
  nothing,
  number,
  options,
  pairs,
  record,
  type Shape,
  tableOf,
  text,
  textOrTexts,
  texts,
} from './shape.js';

const fileReferences = listOf(
  either(text, record({ source: text, target: text, uid: text, gid: text, mode: number }, { others: 'dropped' })),
);

const networks = either(
  texts,
  tableOf(
    either(record({ aliases: texts, 'driver_opts@13': options, ipv4_address: text, ipv6_address: text }), nothing),
    names,
  ),
);

const ports = listOf(
  either(
    { kind: 'number', format: 'port' },
    { kind: 'text', format: 'port' },
    record({ mode: text, target: integer, published: integer, protocol: text }, { since: 2 }),
  ),
  { unique: true },
);

const volumes = listOf(
  either(
    text,
    record(
      {
        type: text,
        source: text,
        target: text,
        read_only: flag,
        consistency: text,
        bind: record(
          { propagation: { kind: 'text', oneOf: ['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave', ''] } },
          { others: 'dropped' },
        ),
        volume: record({ nocopy: flag, subpath: text }, { others: 'dropped' }),
        'tmpfs@6': record({ size: { kind: 'integer', min: 0 } }, { others: 'dropped' }),
      },
      { required: ['type'], since: 2 },
    ),
  ),
);

/** The engine's shortest. */
const pause: Shape = { kind: 'text', format: 'duration', min: 1e6 };

const healthcheck = record({
  disable: flag,
  interval: pause,
  retries: number,
  test: command,
  timeout: pause,
  'start_period@4': pause,
  'start_interval@12': pause,
});

/** Ignored, and still checked as far as the CLI checks it. */
const build = either(
  text,
  record(
    {
      context: text,
      dockerfile: text,
      args: pairs,
      labels: pairs,
      cache_from: texts,
      network: text,
      target: text,
      shm_size: either(integer, text),
      extra_hosts: pairs,
    },
    { others: 'free' },
  ),
);

export const service: Shape = record(
  {
    deploy,
    build,
    cap_add: texts,
    cap_drop: texts,
    'cgroupns_mode@9': text,
    cgroup_parent: text,
    command,
    'configs@3': fileReferences,
    container_name: text,
    'credential_spec@3': record({ 'config@8': text, file: text, registry: text }),
    depends_on: texts,
    devices: texts,
    dns: textOrTexts,
    dns_search: textOrTexts,
    domainname: text,
    entrypoint: command,
    env_file: textOrTexts,
    environment: pairs,
    expose: listOf(either(text, number), { unique: true }),
    external_links: texts,
    extra_hosts: pairs,
    healthcheck,
    hostname: text,
    image: text,
    'init@7': flag,
    ipc: text,
    'isolation@5': text,
    labels: pairs,
    links: texts,
    logging: record({ driver: text, options: tableOf({ kind: 'printable', nothing: true }) }),
    mac_address: text,
    network_mode: text,
    networks,
    pid: either(text, nothing),
    ports,
    privileged: flag,
    read_only: flag,
    restart: text,
    security_opt: texts,
    // The CLI's schema takes a number as well, and its reader then does not.
    shm_size: text,
    'secrets@1': fileReferences,
    sysctls: pairs,
    stdin_open: flag,
    stop_grace_period: duration,
    stop_signal: text,
    tmpfs: textOrTexts,
    tty: flag,
    ulimits: tableOf(either(integer, record({ hard: integer, soft: integer }, { required: ['soft', 'hard'] }))),
    'oom_score_adj@13': integer,
    user: text,
    userns_mode: text,
    volumes,
    working_dir: text,
  },
  { extensionsSince: 7 },
);
