/**
 * Service keys that are refused before anything else is looked at, and what people write because `docker compose` takes
 * it.
 */

const LIMITS = 'set it under deploy.resources';

/** The CLI names these itself. Facts: docker/cli 28, cli/compose/types. */
export const FORBIDDEN: Readonly<Record<string, string>> = {
  extends: 'use a YAML anchor and merge key, or several files',
  volume_driver: 'define the volume under the top-level `volumes` and give its `driver` there',
  volumes_from: 'define the volume under the top-level `volumes` and mount it in each service',
  cpu_quota: LIMITS,
  cpu_shares: LIMITS,
  cpuset: LIMITS,
  mem_limit: LIMITS,
  memswap_limit: LIMITS,
};

/** Taken and ignored. */
export const IGNORED: Readonly<Record<string, string>> = {
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
};

/** `docker compose` knows these, the Swarm's format does not. */
export const COMPOSE_ONLY: Readonly<Record<string, string>> = {
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
};
