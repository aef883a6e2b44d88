/** What the kinds of faults on a swarm need of an engine, its kernel and the image of the helpers: each is tried. */
import type { FaultPlan } from '../../../../scenarios/schema/plan.js';
import type { Engine } from '../engine/engine.js';
import type { Ability } from './kernel-facts.js';
import { abilityOf, outputOf } from './try-kernel.js';

type Kind = FaultPlan['kind'];

/** Kinds that need the same, and whether it is there. */
export interface FaultAbility {
  readonly kinds: readonly Kind[];
  readonly ability: Ability;
  /** How it would be done: `netem`. */
  readonly how: string;
}

/** By the names of the lines that the trials print. */
const NEEDS = {
  filter: ['partition', 'loss', 'reset', 'node-cut', 'dns'],
  delay: ['delay'],
  rate: ['rate'],
  engine: ['node-down', 'leader'],
} as const satisfies Readonly<Record<string, readonly Kind[]>>;

/** As the helpers do it, in a namespace of its own. A program that the image lacks is a `no`: helpers lack it, too. */
const NETWORK_TRIAL = `
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
filter() {
  nft -f - <<RULES
add table inet trial
add counter inet trial hit
add chain inet trial out { type filter hook output priority -150; policy accept; }
add rule inet trial out numgen random mod 10000 < 1 counter name hit drop
add rule inet trial out tcp dport 9 jhash ip daddr . tcp dport mod 10000 < 1 counter name hit reject with tcp reset
add rule inet trial out @th,160,64 0 counter name hit @th,88,8 set 0x83 meta mark set 1
RULES
}
queue() {
  command -v nfqdelay >/dev/null || { echo 'the image has no nfqdelay'; return 1; }
  iptables -A OUTPUT -j NFQUEUE --queue-num 7 --queue-bypass
}
say() { echo $*; }
ip link set lo up
if problem=$(filter 2>&1); then echo 'filter yes nft'; else say filter no $problem; fi
if problem=$(tc qdisc add dev lo root netem delay 1ms 2>&1); then echo 'delay yes netem'; tc qdisc del dev lo root
elif second=$(queue 2>&1); then echo 'delay yes nfqueue'
else say delay no no netem: $problem, and no queue: $second; fi
if problem=$(tc qdisc add dev lo root tbf rate 1mbit burst 3200 latency 400ms 2>&1); then echo 'rate yes tbf'
else say rate no $problem; fi
`;

/** The engine's process must be seen by a container that has the processes of the node. */
const ENGINE_TRIAL = `
for process in /proc/[0-9]*; do
  if [ "$(cat "$process/comm" 2>/dev/null)" = dockerd ]; then echo 'engine yes dockerd'; exit; fi
done
echo 'engine no no process dockerd is on the machine of the engine'
`;

/**
 * @param image of the helpers; the engine must have it
 * @throws EngineError when the engine does not answer; the signal's reason
 */
export async function tryFaults(
  engine: Engine,
  image: string | undefined,
  signal: AbortSignal,
): Promise<readonly FaultAbility[]> {
  if (image === undefined || (await engine.images.find(image, signal)) === undefined) {
    const named = image === undefined ? 'NETTOOLS_IMAGE names none' : `the engine does not have ${image}`;
    return abilitiesOf('', `there is no image to try it in (${named})`);
  }
  const alone = { NetworkMode: 'none', CapDrop: ['ALL'], CapAdd: ['NET_ADMIN', 'NET_RAW'] };
  const whole = { NetworkMode: 'none', PidMode: 'host' };
  const failed = (lines: readonly string[]) => (error: unknown) => {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    return lines.map((line) => `${line} no the engine does not run the container: ${why}`).join('\n');
  };
  const [network, ofEngine] = await Promise.all([
    outputOf(engine, image, NETWORK_TRIAL, alone, signal).catch(failed(['filter', 'delay', 'rate'])),
    outputOf(engine, image, ENGINE_TRIAL, whole, signal).catch(failed(['engine'])),
  ]);
  return abilitiesOf(`${network}\n${ofEngine}`, undefined);
}

/** Reads what the trials printed. Pure. @param untried why there was no trial */
export function abilitiesOf(output: string, untried: string | undefined): readonly FaultAbility[] {
  const lines = new Map(
    output.split('\n').map((line) => {
      const [name = '', ...rest] = line.trim().split(' ');
      return [name, rest.join(' ')] as const;
    }),
  );
  return Object.entries(NEEDS).map(([name, kinds]) => {
    const line = lines.get(name);
    const ability = untried === undefined ? abilityOf(line) : ({ kind: 'unknown', reason: untried } as const);
    return { kinds, ability, how: /^yes (\S+)/.exec(line ?? '')?.[1] ?? '' };
  });
}
