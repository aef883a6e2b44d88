/** Keys that a stack cannot have, or that have no effect in one, and what to do instead. */
import { nearest } from '../../../../../scenarios/yaml/nearest.js';

const LIMITS = 'set it under deploy.resources';

/** Keys of a service that the CLI refuses before it looks at the schema. Facts: docker/cli 28, cli/compose/types. */
export const FORBIDDEN = table({
  extends: 'use a YAML anchor and merge key, or several files',
  volume_driver: 'define the volume under the top-level `volumes` and give its `driver` there',
  volumes_from: 'define the volume under the top-level `volumes` and mount it in each service',
  cpu_quota: LIMITS,
  cpu_shares: LIMITS,
  cpuset: LIMITS,
  mem_limit: LIMITS,
  memswap_limit: LIMITS,
});

/** Keys of a service that are accepted and have no effect. */
export const IGNORED = table({
  build: 'a Swarm only runs images: build and push it first, and name it with `image`',
  cgroupns_mode: 'a Swarm cannot set it',
  cgroup_parent: 'a Swarm cannot set it',
  container_name: 'the Swarm names containers itself: service.slot.id',
  depends_on: 'a Swarm starts all services at once: let the program wait, or retry',
  devices: 'a Swarm cannot pass devices to a container',
  domainname: 'use `hostname`',
  expose: 'services of one network reach every port of each other',
  external_links: 'use a network and its aliases',
  ipc: 'a Swarm cannot set it',
  links: 'use a network and its aliases',
  mac_address: 'a Swarm cannot set it',
  network_mode: 'use `networks`; for the host\'s own network, an external network named "host"',
  oom_score_adj: 'docker stack deploy 28 reads it and never sends it',
  pid: 'a Swarm cannot set it',
  privileged: 'a Swarm cannot run privileged containers: `cap_add` may be enough',
  security_opt: 'a Swarm cannot set it',
  shm_size: 'mount a tmpfs volume at /dev/shm',
  tmpfs: 'use a long volume: { type: tmpfs, target: ... }',
  userns_mode: 'a Swarm cannot set it',
});

/** Keys that `docker compose` knows and `docker stack deploy` does not. */
const COMPOSE_ONLY = table({
  annotations: 'use `labels`',
  attach: 'leave it out',
  blkio_config: 'a Swarm cannot set it',
  cpu_count: LIMITS,
  cpu_percent: LIMITS,
  cpu_period: LIMITS,
  cpu_rt_period: LIMITS,
  cpu_rt_runtime: LIMITS,
  cpus: LIMITS,
  create_host_path: 'create the folder on every node',
  develop: 'leave it out',
  device_cgroup_rules: 'a Swarm cannot set it',
  dns_opt: 'a Swarm cannot set it',
  gpus: 'reserve them under deploy.resources.reservations.generic_resources',
  group_add: 'a Swarm cannot set it: use `user`',
  include: 'give several files',
  label_file: 'use `labels`',
  mem_reservation: LIMITS,
  mem_swappiness: 'a Swarm cannot set it',
  name: 'the stack is named when it is deployed, not in the file',
  oom_kill_disable: 'a Swarm cannot set it',
  pids_limit: 'set deploy.resources.limits.pids',
  platform: 'use a placement constraint: node.platform.arch == ...',
  post_start: 'leave it out',
  pre_stop: 'leave it out',
  profiles: 'put the service into a file of its own',
  pull_policy: 'a Swarm always pulls what a node does not have',
  runtime: 'a Swarm cannot set it',
  scale: 'set deploy.replicas',
  storage_opt: 'a Swarm cannot set it',
  uts: 'a Swarm cannot set it',
});

/** Says what to write in place of a key that is not one of `keys`. */
export function hintForKey(name: string, keys: readonly string[]): string {
  const remedy = COMPOSE_ONLY.get(name);
  if (remedy !== undefined) return remedy;
  const close = nearest(name, keys);
  return close === undefined ? `the keys are ${keys.join(', ')}` : `did you mean "${close}"?`;
}

function table(remedies: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(remedies));
}
