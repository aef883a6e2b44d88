/** `unknown` never counts as `yes`; its reason says why there was no test, or what the test came to. */
export type Ability =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** The abilities of an engine's kernel that a stack may need, as far as they were tested. */
export interface KernelFacts {
  /** Where it was tested; undefined when it was not. */
  readonly triedIn: 'container' | 'namespace' | undefined;
  /** Overlay networks between nodes. */
  readonly vxlan: Ability;
  /** Virtual addresses and the routing mesh. */
  readonly ipvs: Ability;
  /** Delay and loss by the kernel's own queue. */
  readonly netem: Ability;
  /** The default of containers; undefined unless tested in one. */
  readonly openFiles: { readonly soft: number; readonly hard: number } | undefined;
  /** Capacity of the connection tracking table; undefined when the kernel has none, or that was not tested. */
  readonly conntrackMax: number | undefined;
}

/**
 * With fewer entries the kernel may soon drop packets of new connections: each connection of a busy run takes an entry,
 * and keeps it for a while after its end.
 */
export const WANTED_CONNTRACK = 50_000;
/**
 * Enough for the largest scenario that comes with swarmbench, with some room: each client needs two descriptors, its
 * own socket and, on the same machine, the server's.
 */
export const WANTED_FILES = 10_240;

/** Fills in what one trial left unknown from another trial of the same kernel. */
export function completed(facts: KernelFacts, other: KernelFacts): KernelFacts {
  const better = (name: 'vxlan' | 'ipvs' | 'netem'): Ability =>
    facts[name].kind === 'unknown' ? other[name] : facts[name];
  return {
    ...facts,
    vxlan: better('vxlan'),
    ipvs: better('ipvs'),
    netem: better('netem'),
    conntrackMax: facts.conntrackMax ?? other.conntrackMax,
  };
}

export function untried(reason: string): KernelFacts {
  const unknown: Ability = { kind: 'unknown', reason };
  return {
    triedIn: undefined,
    vxlan: unknown,
    ipvs: unknown,
    netem: unknown,
    openFiles: undefined,
    conntrackMax: undefined,
  };
}

/** The commands that provide what a kernel or an engine lacks, for the doctor and for the warnings of `up`. */
export const FIXES = {
  vxlan: 'sudo modprobe vxlan',
  ipvs: 'sudo modprobe ip_vs; without that module, use `endpoint_mode: dnsrr` and `mode: host`, as in swarm/stack.yml',
  netem: 'sudo modprobe sch_netem',
  faults: 'NETTOOLS_IMAGE=nicolaka/netshoot:v0.13 swarmbench doctor, after docker pull nicolaka/netshoot:v0.13',
  openFiles: 'dockerd --default-ulimit nofile=65536:65536 (or `default-ulimits` in /etc/docker/daemon.json)',
  conntrack: 'sudo sysctl -w net.netfilter.nf_conntrack_max=262144',
} as const;
