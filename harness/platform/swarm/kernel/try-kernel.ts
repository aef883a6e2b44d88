import { execFile } from 'node:child_process';
import { release, userInfo } from 'node:os';
import type Docker from 'dockerode';
import type { Engine } from '../engine/engine.js';
import { type Ability, completed, type KernelFacts, untried } from './kernel-facts.js';

const TRY_MS = 10_000;
/** Label of the container, so that one that outlives a crash can be recognised. */
const LABEL = 'swarmbench.trial';

/**
 * Tests what the kernel of an engine can do: in a short-lived container, else in a network namespace of this machine.
 * @param image with sh, ip and tc; if it is undefined or the engine does not have it, no container is used
 * @throws EngineError when the engine does not answer; the signal's reason
 */
export async function tryKernel(engine: Engine, image: string | undefined, signal: AbortSignal): Promise<KernelFacts> {
  const isThere = image !== undefined && (await engine.images.find(image, signal)) !== undefined;
  const inContainer = isThere ? await tryInContainer(engine, image, signal) : undefined;
  if (
    inContainer !== undefined &&
    [inContainer.vxlan, inContainer.ipvs, inContainer.netem].every(({ kind }) => kind !== 'unknown')
  )
    return inContainer;
  // The kernel of another machine cannot be tested from here.
  const { KernelVersion } = await engine.info(signal);
  if (KernelVersion !== release())
    return inContainer ?? untried('the engine is on another machine and has no image with the programs for the test');
  const inNamespace = await tryInNamespace(signal);
  return inContainer === undefined ? inNamespace : completed(inContainer, inNamespace);
}

/** Undefined when the engine cannot run the container. */
async function tryInContainer(engine: Engine, image: string, signal: AbortSignal): Promise<KernelFacts | undefined> {
  const host = { NetworkMode: 'none', CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'] };
  const output = await outputOf(engine, image, TRIAL, host, signal).catch(() => undefined);
  signal.throwIfAborted();
  return output === undefined ? undefined : readTrial(output, 'container');
}

/**
 * What a script prints in a short-lived container.
 * @throws errors of the engine when it cannot run the container
 */
export async function outputOf(
  { docker }: Engine,
  image: string,
  script: string,
  host: Docker.HostConfig,
  signal: AbortSignal,
): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]);
  // Not interruptible, because that could leave a container behind. It takes a tenth of a second.
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: ['sh', '-c', script],
    Cmd: [],
    User: '0',
    Tty: true,
    Labels: { [LABEL]: 'yes' },
    HostConfig: host,
  });
  try {
    await container.start({ abortSignal: limit });
    await container.wait({ abortSignal: limit });
    return (await container.logs({ stdout: true, follow: false, abortSignal: limit })).toString();
  } finally {
    await container.remove({ force: true, v: true });
  }
}

function tryInNamespace(signal: AbortSignal): Promise<KernelFacts> {
  // Root needs no user namespace, and in one the kernel would not load modules for us.
  const how = userInfo().uid === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
  return new Promise((resolve) => {
    execFile('unshare', [...how, 'sh', '-c', TRIAL], { timeout: TRY_MS, signal }, (error, stdout, stderr) => {
      if (error === null) resolve(readTrial(stdout, 'namespace'));
      else resolve(untried(`there is no network namespace for the test: ${stderr.trim() || error.message}`));
    });
  });
}

/**
 * The trial of a kernel: a script for any shell, in a network namespace of its own with CAP_NET_ADMIN, and how to read
 * its output. Pure.
 */

/**
 * Prints one line per fact. Creating an interface or a queue makes the kernel load its module; all of it disappears
 * with the namespace. A missing program is `unknown` and not `no`, and busybox's `ip` counts as missing: it knows few
 * kinds. IPVS has a file once it is loaded (net/netfilter/ipvs); until then there may be a module that the engine will
 * load.
 */
export const TRIAL = `
PATH=$PATH:/usr/sbin:/sbin
attempt() {
  name=$1; shift
  if ! "$1" -V 2>&1 | grep -q iproute2; then echo "$name unknown there is no iproute2 where it was tested"
  elif output=$("$@" 2>&1 </dev/null); then echo "$name yes"
  else echo "$name no" $output
  fi
}
attempt vxlan ip link add trial type vxlan id 4242 dstport 4789
ip link set lo up 2>/dev/null
attempt netem tc qdisc add dev lo root netem delay 1ms
if [ -e /proc/net/ip_vs ]; then echo 'ipvs yes'
elif [ -d "/lib/modules/$(uname -r)" ] && command -v modprobe >/dev/null 2>&1; then
  if modprobe -nq ip_vs; then echo 'ipvs yes'; else echo 'ipvs no the kernel has no module ip_vs'; fi
elif zcat /proc/config.gz 2>/dev/null | grep -q '^# CONFIG_IP_VS is not set'; then
  echo 'ipvs no the kernel was built without CONFIG_IP_VS'
else echo 'ipvs unknown it is not loaded, and there may or may not be a module'
fi
echo "files $(ulimit -Sn) $(ulimit -Hn)"
echo "conntrack $(cat /proc/sys/net/netfilter/nf_conntrack_max 2>/dev/null)"
`;

/** An attempt that is not permitted says nothing about the kernel. */
const NOT_ALLOWED = /operation not permitted|permission denied/i;

export function readTrial(output: string, triedIn: 'container' | 'namespace'): KernelFacts {
  const lines = new Map(
    output.split('\n').map((line) => {
      const [name = '', ...rest] = line.trim().split(' ');
      return [name, rest.join(' ')] as const;
    }),
  );
  const ability = (name: string): Ability => abilityOf(lines.get(name));
  const [soft, hard] = (lines.get('files') ?? '').split(' ').map(limitOf);
  const conntrackMax = Number.parseInt(lines.get('conntrack') ?? '', 10);
  const none = untried('');
  return {
    ...none,
    triedIn,
    vxlan: ability('vxlan'),
    ipvs: ability('ipvs'),
    netem: ability('netem'),
    // A shell in a namespace has the limits of this process, not those of a container.
    ...(triedIn === 'container' && soft !== undefined && hard !== undefined ? { openFiles: { soft, hard } } : {}),
    ...(Number.isNaN(conntrackMax) ? {} : { conntrackMax }),
  };
}

export function abilityOf(text: string | undefined): Ability {
  const [, kind, reason = ''] = /^(yes|no|unknown)\s*(.*)$/.exec(text ?? '') ?? [];
  if (kind === 'yes') return { kind };
  if (kind === 'no' && !NOT_ALLOWED.test(reason)) return { kind, reason };
  return { kind: 'unknown', reason: reason === '' ? 'the trial did not report it' : reason };
}

function limitOf(text: string): number | undefined {
  if (text === 'unlimited') return Number.MAX_SAFE_INTEGER;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
