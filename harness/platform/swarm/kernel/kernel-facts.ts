/** What the kernel below an engine can do for a stack, as far as somebody tried it. */

/** `unknown` is never taken for `yes`: `words` says why nobody could try, or what the attempt came to. */
export type Ability =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no'; readonly words: string }
  | { readonly kind: 'unknown'; readonly words: string };

export interface KernelFacts {
  /** Where it was tried; undefined when it could not be. */
  readonly triedIn: 'container' | 'namespace' | undefined;
  /** Overlay networks between nodes. */
  readonly vxlan: Ability;
  /** Virtual addresses and the routing mesh. */
  readonly ipvs: Ability;
  /** Delay and loss by the kernel's own queue. */
  readonly netem: Ability;
  /** Of a container that says nothing else; undefined unless tried in one. */
  readonly openFiles: { readonly soft: number; readonly hard: number } | undefined;
  /**
   * Entries that connection tracking of the whole kernel may hold; undefined when it does not track, or nobody looked.
   */
  readonly conntrackMax: number | undefined;
}

/**
 * Below it the kernel may soon drop packets of new connections: each of a busy run's takes an entry, also for a while
 * after its end.
 */
export const WANTED_CONNTRACK = 50_000;
/**
 * Two descriptors a client (its socket and, on the same machine, the server's end) for the largest shipped scenario,
 * with room.
 */
export const WANTED_FILES = 10_240;

/** What one trial could not tell, from another one of the same kernel. */
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

export function untried(words: string): KernelFacts {
  const unknown: Ability = { kind: 'unknown', words };
  return {
    triedIn: undefined,
    vxlan: unknown,
    ipvs: unknown,
    netem: unknown,
    openFiles: undefined,
    conntrackMax: undefined,
  };
}

/** The command that mends what a kernel or an engine lacks; in the doctor's lines and in the warnings of `up` alike. */
export const FIXES = {
  vxlan: 'sudo modprobe vxlan',
  ipvs: 'sudo modprobe ip_vs; where the kernel has none, `endpoint_mode: dnsrr` and `mode: host` as in swarm/stack.yml',
  netem: 'sudo modprobe sch_netem',
  openFiles: 'dockerd --default-ulimit nofile=65536:65536 (or `default-ulimits` in /etc/docker/daemon.json)',
  conntrack: 'sudo sysctl -w net.netfilter.nf_conntrack_max=262144',
} as const;
