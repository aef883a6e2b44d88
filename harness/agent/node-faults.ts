/**
 * The faults on one node, as the harness orders them. The engine itself keeps what is on: for each fault a container
 * with our labels, which is the helper that does it, or, where the engine does it, a mark that is never started. So an
 * agent that was killed finds all of them again, and ends those that nobody renews.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import { messageOf } from '../support/error-message.js';
import type { ContainerState, FaultName, FaultOrder, FaultState, NetworkEffect } from './fault-orders.js';
import { BURN, DNS, ENGINE_KILL, FILTER, NODE_CUT, REFUSED, SHAPE } from './helper-scripts.js';

interface NodeFaultsOptions {
  readonly docker: Docker;
  /** Only containers of this stack are struck, and only helpers of it are looked after. */
  readonly stack: string;
  /** With `sh`, `ip`, `nft` and `tc`. */
  readonly toolsImage: string;
  readonly log: (line: string) => void;
}

/** With all that helpers need; public, and named in swarm/stack.yml, too. */
export const TOOLS_IMAGE = 'nicolaka/netshoot:v0.13';

/** Nothing was changed. */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused';
}

const LABELS = {
  id: 'swarmbench.fault',
  kind: 'swarmbench.fault.kind',
  container: 'swarmbench.fault.container',
  lease: 'swarmbench.fault.lease',
  /** JSON: what a mark says of the state before. */
  before: 'swarmbench.fault.before',
  stack: 'swarmbench.fault.stack',
} as const;

const SWEEP_MS = 1_000;
const BEGIN_MS = 15_000;
const END_MS = 8_000;
const POLL_MS = 50;
/** Helpers that have ended stay for so long, so that it can be read how. */
const KEEP_ENDED_MS = 60_000;
/** Microseconds, and parts of 10,000. */
const SHARE_UNITS = 10_000;

type Listed = Docker.ContainerInfo;
const before = z.object({ memory: z.number().optional(), memorySwap: z.number().optional() });

export class NodeFaults {
  /** When the harness was last heard of each mark, by the id of its container. */
  private readonly heardAt = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: NodeFaultsOptions) {}

  start(): void {
    void this.sweepAgain();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** @throws OrderRefused; errors of the engine, after which it is not known what was done */
  async apply(order: FaultOrder): Promise<void> {
    switch (order.kind) {
      case 'signal':
        return this.signal(order.container, order.signal);
      case 'stop':
        await this.struck(order.container);
        // The engine answers when it has ended, which may take as long as its grace period.
        this.options.docker
          .getContainer(order.container)
          .stop()
          .catch((error: unknown) => this.options.log(`stopping ${order.container.slice(0, 12)}: ${messageOf(error)}`));
        return;
      case 'pause':
      case 'memory':
        return this.mark(order);
      case 'network':
      case 'cpu':
      case 'node-cut':
      case 'engine-kill':
        return this.help(order);
    }
  }

  /** The harness is still there. */
  async renew({ id }: FaultName): Promise<void> {
    for (const one of await this.listed(id)) {
      this.heardAt.set(one.Id, Date.now());
      if (one.State === 'running') await this.kill(one.Id, 'SIGUSR1');
    }
  }

  /** Idempotent: what is gone is undone. @throws Error when something could not be undone */
  async undo({ id, container }: FaultName): Promise<void> {
    const found = (await this.listed(id)).filter(({ Labels }) =>
      [undefined, Labels[LABELS.container]].includes(container),
    );
    await Promise.all(found.map((one) => this.end(one)));
  }

  async states(): Promise<readonly FaultState[]> {
    return Promise.all(
      (await this.listed()).map(async ({ Id, Labels, State, Status }) => {
        const lines = State === 'created' ? [] : await this.linesOf(Id);
        const isOn = State === 'running' || State === 'created';
        return {
          id: Labels[LABELS.id] ?? '',
          kind: Labels[LABELS.kind] ?? '',
          container: Labels[LABELS.container] ?? '',
          state: isOn ? ('on' as const) : endOf(Status),
          how: /^on (\w+)/m.exec(lines.join('\n'))?.[1] ?? 'engine',
          counts: countsOf(lines.findLast((line) => line.startsWith('counts')) ?? ''),
          detail: lines.at(-1) ?? '',
        };
      }),
    );
  }

  /** Undefined when there is no such container on this node. */
  async look(id: string): Promise<ContainerState | undefined> {
    const found = await this.options.docker
      .getContainer(id)
      .inspect()
      .catch(() => undefined);
    if (found === undefined) return undefined;
    const { Running, Paused, ExitCode, OOMKilled } = found.State;
    return {
      running: Running,
      paused: Paused,
      exitCode: ExitCode,
      oomKilled: OOMKilled,
      memoryLimitBytes: found.HostConfig.Memory ?? 0,
    };
  }

  // ---- what the engine does ----

  private async signal(container: string, signal: string): Promise<void> {
    await this.struck(container);
    await this.kill(container, signal);
  }

  private async mark(order: Extract<FaultOrder, { kind: 'pause' | 'memory' }>): Promise<void> {
    const { docker } = this.options;
    const target = await this.struck(order.container);
    const known = (await this.listed(order.id)).find(({ Labels }) => Labels[LABELS.container] === order.container);
    const { Memory: memory = 0, MemorySwap: memorySwap = 0 } = target.HostConfig;
    if (known === undefined) {
      if (target.State.Paused) throw new OrderRefused('it is paused already, and not by this fault');
      const { id } = await docker.createContainer({
        Image: target.Image,
        Entrypoint: ['true'],
        Cmd: [],
        Labels: this.labelsOf(order, order.container, order.leaseSeconds, { memory, memorySwap }),
        HostConfig: { NetworkMode: 'none' },
      });
      this.heardAt.set(id, Date.now());
    }
    try {
      if (order.kind === 'memory') await this.limitMemory(order.container, order.bytes, order.bytes);
      else if (!target.State.Paused) await docker.getContainer(order.container).pause();
    } catch (error) {
      await this.undo({ id: order.id, container: order.container });
      throw new OrderRefused(`the engine refuses it: ${messageOf(error)}`);
    }
  }

  private async limitMemory(container: string, Memory: number, MemorySwap: number): Promise<void> {
    await this.options.docker.getContainer(container).update({ Memory, MemorySwap });
  }

  private async endMark({ Id, Labels }: Listed): Promise<void> {
    const { docker } = this.options;
    const container = Labels[LABELS.container] ?? '';
    const target = await this.look(container);
    if (target?.running === true) {
      if (Labels[LABELS.kind] === 'pause' && target.paused) await docker.getContainer(container).unpause();
      if (Labels[LABELS.kind] === 'memory') {
        const { memory = 0, memorySwap = 0 } = before.parse(JSON.parse(Labels[LABELS.before] ?? '{}'));
        // The engine takes 0 for "as it is", and -1 for no limit.
        await this.limitMemory(container, memory === 0 ? -1 : memory, memorySwap === 0 ? -1 : memorySwap);
      }
    }
    await this.remove(Id);
  }

  // ---- what helpers do ----

  private async help(
    order: Extract<FaultOrder, { kind: 'network' | 'cpu' | 'node-cut' | 'engine-kill' }>,
  ): Promise<void> {
    const container = 'container' in order ? order.container : '';
    const target = container === '' ? undefined : await this.struck(container);
    const known = (await this.listed(order.id)).find(({ Labels }) => Labels[LABELS.container] === container);
    if (known?.State === 'running') return this.change(known, order);
    if (known !== undefined) await this.end(known);
    await this.ensureTools();
    const lease = 'leaseSeconds' in order ? order.leaseSeconds : order.forSeconds;
    const setting = await this.settingOf(order, target);
    const Labels = this.labelsOf(order, container, lease, {});
    const { id } = await this.options.docker.createContainer({
      Image: this.options.toolsImage,
      Entrypoint: ['sh', '-c', setting.script],
      Cmd: [],
      User: '0',
      Env: [`FAULT=${faultNumber(order.id)}`, `LEASE=${Math.ceil(lease)}`, ...setting.env],
      Labels,
      HostConfig: setting.host,
    });
    try {
      await this.options.docker.getContainer(id).start();
      await this.untilOn(id);
    } catch (error) {
      await this.remove(id);
      throw error instanceof OrderRefused ? error : new OrderRefused(`its helper does not start: ${messageOf(error)}`);
    }
  }

  private async untilOn(id: string): Promise<void> {
    for (const giveUpAt = Date.now() + BEGIN_MS; ; await sleep(POLL_MS)) {
      const lines = await this.linesOf(id);
      if (lines.some((line) => line.startsWith('on '))) return;
      const refused = lines.find((line) => line.startsWith('refused '));
      if (refused !== undefined) throw new OrderRefused(refused.slice('refused '.length));
      const { State } = await this.options.docker.getContainer(id).inspect();
      if (!State.Running) throw new OrderRefused(`its helper ended: ${lines.join(' ')} (exit code ${State.ExitCode})`);
      if (Date.now() > giveUpAt) throw new OrderRefused(`its helper has done nothing in ${BEGIN_MS / 1000} s`);
    }
  }

  private async change({ Id }: Listed, order: FaultOrder): Promise<void> {
    const { docker } = this.options;
    if (order.kind === 'cpu') return void (await docker.getContainer(Id).update({ NanoCpus: nanoCpus(order.cores) }));
    if (order.kind !== 'network' || order.network.effect === 'partition') return;
    const [strength, jitter = 0] = strengthOf(order.network);
    const exec = await docker.getContainer(Id).exec({
      Cmd: [
        'sh',
        '-c',
        `echo "${strength} ${jitter}" >/tmp/strength.new; mv /tmp/strength.new /tmp/strength; kill -USR2 1`,
      ],
      User: '0',
    });
    await exec.start({ Detach: true });
  }

  private async settingOf(
    order: Extract<FaultOrder, { kind: 'network' | 'cpu' | 'node-cut' | 'engine-kill' }>,
    target: Docker.ContainerInspectInfo | undefined,
  ): Promise<{ readonly script: string; readonly env: readonly string[]; readonly host: Docker.HostConfig }> {
    const RestartPolicy = { Name: 'on-failure', MaximumRetryCount: 3 };
    const bare = { CapDrop: ['ALL'], CapAdd: ['NET_ADMIN', 'NET_RAW'], RestartPolicy };
    switch (order.kind) {
      case 'network': {
        const [strength, jitter = 0] = strengthOf(order.network);
        const { effect } = order.network;
        return {
          script: scriptOf(effect),
          env: [
            `ADDRESS=${order.address}`,
            `EFFECT=${effect}`,
            `STRENGTH=${strength}`,
            `JITTER=${jitter}`,
            `DIRECTION=${order.network.effect === 'partition' ? order.network.direction : ''}`,
            `PORT=${order.network.effect === 'reset' ? order.network.port : ''}`,
            ...(order.network.effect === 'dns'
              ? [
                  `NAME=${order.network.lookup}`,
                  `LATE=${order.network.delayMs === undefined ? 'no' : 'yes'}`,
                  `MATCH=${matchOfName(order.network.lookup)}`,
                ]
              : []),
          ],
          host: { ...bare, NetworkMode: `container:${order.container}` },
        };
      }
      case 'cpu': {
        const parent = await this.groupOf(target);
        return {
          script: BURN,
          env: [`STRENGTH=${Math.ceil(order.cores)}`, `WHERE=${parent === undefined ? 'beside' : 'inside'}`],
          host: {
            CapDrop: ['ALL'],
            CapAdd: ['KILL'],
            RestartPolicy,
            NetworkMode: 'none',
            NanoCpus: nanoCpus(order.cores),
            ...(parent === undefined ? {} : { CgroupParent: parent }),
          },
        };
      }
      case 'node-cut':
        return { script: NODE_CUT, env: [], host: { ...bare, NetworkMode: 'host' } };
      case 'engine-kill':
        return {
          script: ENGINE_KILL,
          env: [],
          host: {
            // What the engine may do, since it is started again from there; `privileged` fails where it lacks some.
            CapAdd: [...(await this.engineCapabilities())],
            SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
            PidMode: 'host',
            NetworkMode: 'host',
            Binds: ['/sys/fs/cgroup:/cgroup'],
          },
        };
    }
  }

  /**
   * The control group of a container, under which another one may stand: with cgroups of version 1. Undefined where
   * that cannot be.
   */
  private async groupOf(target: Docker.ContainerInspectInfo | undefined): Promise<string | undefined> {
    if (target === undefined) return undefined;
    const text = await this.lookAt('cat /proc/1/cgroup', { PidMode: `container:${target.Id}` }).catch(() => '');
    return /^.*\d+:(?:[\w,]*,)?cpu(?:,[\w,]*)?:(\/\S+)$/m.exec(text)?.[1];
  }

  /**
   * Those that the engine has, as far as it knows their names: an older engine knows none that came after it.
   * @throws OrderRefused when the engine is not among the processes of the node
   */
  private async engineCapabilities(): Promise<readonly string[]> {
    const text = await this.lookAt(CAPABILITIES_OF_ENGINE, { PidMode: 'host' });
    const mask = /^CapBnd:\s*([0-9a-f]+)/m.exec(text)?.[1];
    if (mask === undefined) throw new OrderRefused('no process dockerd is on this node');
    const all = capabilitiesOf(BigInt(`0x${mask}`));
    const newest = all.filter((name) => NEWEST_CAPABILITIES.includes(name));
    const knowsThem = await this.lookAt('true', { CapAdd: newest }).then(
      () => true,
      () => false,
    );
    return knowsThem ? all : all.filter((name) => !newest.includes(name));
  }

  /** What a script prints that sees the processes of others. */
  private async lookAt(script: string, host: Docker.HostConfig): Promise<string> {
    const looker = await this.options.docker.createContainer({
      Image: this.options.toolsImage,
      Entrypoint: ['sh', '-c', script],
      Cmd: [],
      User: '0',
      HostConfig: { NetworkMode: 'none', ...host },
    });
    try {
      await looker.start();
      await looker.wait();
      return textOf(await looker.logs({ stdout: true, follow: false }));
    } finally {
      await this.remove(looker.id);
    }
  }

  /** Ends what a helper does, and removes it. What was killed has left its rules: another helper takes them away. */
  private async end(one: Listed): Promise<void> {
    if (one.State === 'created') return this.endMark(one);
    const helper = this.options.docker.getContainer(one.Id);
    if (one.State === 'running') {
      await this.kill(one.Id, 'SIGTERM');
      const ended = helper.wait().then(() => true);
      if (!(await Promise.race([ended, sleep(END_MS, false)]))) await this.kill(one.Id, 'SIGKILL');
    }
    const found = await helper.inspect().catch(() => undefined);
    if (found !== undefined && ![0, REFUSED].includes(found.State.ExitCode)) await this.clean(found);
    await this.remove(one.Id);
  }

  private async clean(helper: Docker.ContainerInspectInfo): Promise<void> {
    const { docker, toolsImage } = this.options;
    const container = helper.Config.Labels[LABELS.container] ?? '';
    const mode = helper.HostConfig.NetworkMode ?? '';
    if (mode === 'none' || (container !== '' && (await this.look(container))?.running !== true)) return;
    const cleaner = await docker.createContainer({
      Image: toolsImage,
      Entrypoint: helper.Config.Entrypoint as string[],
      Cmd: [],
      User: '0',
      Env: [...helper.Config.Env, 'MODE=sweep'],
      HostConfig: { NetworkMode: mode, CapDrop: ['ALL'], CapAdd: ['NET_ADMIN', 'NET_RAW'] },
    });
    try {
      await cleaner.start();
      await cleaner.wait();
    } finally {
      await this.remove(cleaner.id);
    }
  }

  // ---- what nobody looks after any more ----

  private async sweepAgain(): Promise<void> {
    await this.sweep().catch((error: unknown) => this.options.log(`faults: ${messageOf(error)}`));
    if (!this.closed) this.timer = setTimeout(() => void this.sweepAgain(), SWEEP_MS);
  }

  private async sweep(): Promise<void> {
    for (const one of await this.listed()) {
      const why = await this.overdue(one);
      if (why === undefined) continue;
      this.options.log(`fault ${one.Labels[LABELS.id]} (${one.Labels[LABELS.kind]}) is ended here: ${why}`);
      await this.end(one);
      this.heardAt.delete(one.Id);
    }
  }

  private async overdue({ Id, Labels, State, Created, Status }: Listed): Promise<string | undefined> {
    const container = Labels[LABELS.container] ?? '';
    if (container !== '' && (await this.look(container))?.running !== true) return 'its container is gone';
    if (State === 'exited') {
      if (!/^Exited \((?:0|3)\)/.test(Status)) return 'its helper was killed';
      return Date.now() - Created * 1000 > KEEP_ENDED_MS ? 'it is over' : undefined;
    }
    if (State !== 'created') return undefined;
    const heardAt = this.heardAt.get(Id);
    if (heardAt === undefined) this.heardAt.set(Id, Date.now());
    else if (Date.now() - heardAt > Number(Labels[LABELS.lease]) * 1000) return 'nothing was heard of the harness';
    return undefined;
  }

  // ---- the engine ----

  /** A container that a fault may strike: a replica, the gateway or a worker, of this stack. @throws OrderRefused */
  private async struck(id: string): Promise<Docker.ContainerInspectInfo> {
    const found = await this.options.docker
      .getContainer(id)
      .inspect()
      .catch(() => undefined);
    if (found === undefined || !found.State.Running)
      throw new OrderRefused(`container ${id.slice(0, 12)} does not run on this node`);
    const { [STACK]: stack, [SERVICE]: service = '' } = found.Config.Labels;
    const name = service.slice(this.options.stack.length + 1);
    if (stack !== this.options.stack || !/^(?:mcp-server|gateway|client-sim-.+)$/.test(name))
      throw new OrderRefused(`container ${id.slice(0, 12)} (${service}) is nothing that a fault may strike`);
    return found;
  }

  private async listed(id?: string): Promise<readonly Listed[]> {
    const label = [`${LABELS.stack}=${this.options.stack}`, id === undefined ? LABELS.id : `${LABELS.id}=${id}`];
    return this.options.docker.listContainers({ all: true, filters: { label } });
  }

  private labelsOf(
    { id, kind }: FaultOrder,
    container: string,
    leaseSeconds: number,
    state: z.infer<typeof before>,
  ): Record<string, string> {
    return {
      [LABELS.id]: id,
      [LABELS.kind]: kind,
      [LABELS.container]: container,
      [LABELS.lease]: String(leaseSeconds),
      [LABELS.before]: JSON.stringify(state),
      [LABELS.stack]: this.options.stack,
    };
  }

  private async linesOf(id: string): Promise<readonly string[]> {
    const raw = await this.options.docker
      .getContainer(id)
      .logs({ stdout: true, stderr: true, follow: false, tail: 20 })
      .catch(() => Buffer.alloc(0));
    return textOf(raw)
      .split('\n')
      .filter((line) => line !== '');
  }

  /** One that has ended meanwhile needs no signal. */
  private async kill(id: string, signal: string): Promise<void> {
    await this.options.docker
      .getContainer(id)
      .kill({ signal })
      .catch((error: unknown) => {
        if (!/not running|no such container/i.test(messageOf(error))) throw error;
      });
  }

  private async remove(id: string): Promise<void> {
    await this.options.docker
      .getContainer(id)
      .remove({ force: true, v: true })
      .catch((error: unknown) => {
        if (!/no such container|already in progress/i.test(messageOf(error))) throw error;
      });
  }

  private async ensureTools(): Promise<void> {
    const { docker, toolsImage } = this.options;
    const isThere = await docker
      .getImage(toolsImage)
      .inspect()
      .then(
        () => true,
        () => false,
      );
    if (isThere) return;
    try {
      const stream = await docker.pull(toolsImage);
      await new Promise<void>((resolve, reject) =>
        docker.modem.followProgress(stream, (error) => (error === null ? resolve() : reject(error))),
      );
    } catch (error) {
      throw new OrderRefused(
        `this node does not have the image ${toolsImage}, in which network faults are made: ${messageOf(error)}`,
      );
    }
  }
}

const STACK = 'com.docker.stack.namespace';
const SERVICE = 'com.docker.swarm.service.name';

const CAPABILITIES_OF_ENGINE = `
for process in /proc/[0-9]*; do
  [ "$(cat "$process/comm" 2>/dev/null)" = dockerd ] && grep CapBnd "$process/status" && exit
done
`;

/** By their numbers, from 0 (capabilities(7)). */
const CAPABILITIES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE';

/** Since Linux 5.8 and 5.9. */
const NEWEST_CAPABILITIES = ['PERFMON', 'BPF', 'CHECKPOINT_RESTORE'];

/** The names of the bits that are set. */
export function capabilitiesOf(mask: bigint): readonly string[] {
  return CAPABILITIES.split(' ').filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n);
}

/** As the helper's script takes it; for a delay also its jitter. */
function strengthOf(effect: NetworkEffect): readonly [strength: number, jitter?: number] {
  switch (effect.effect) {
    case 'partition':
      return [SHARE_UNITS];
    case 'loss':
    case 'reset':
      return [Math.round(effect.share * SHARE_UNITS)];
    case 'rate':
      return [Math.max(1, Math.round(effect.bytesPerSecond * 8))];
    case 'delay':
      return [Math.round(effect.delayMs * 1000), Math.round(effect.jitterMs * 1000)];
    case 'dns':
      return [Math.round((effect.delayMs ?? 0) * 1000)];
  }
}

function scriptOf(effect: NetworkEffect['effect']): string {
  if (effect === 'dns') return DNS;
  return effect === 'rate' || effect === 'delay' ? SHAPE : FILTER;
}

/** A DNS message has its question after 8 bytes of UDP and 12 of its own header; nft compares up to 16 bytes. */
const QUESTION_BIT = 160;
const MOST_COMPARED = 16;

/** What nft compares in a packet of DNS that is about this name. */
export function matchOfName(name: string): string {
  const labels = name.toLowerCase().split('.');
  const bytes = Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]),
    Buffer.from([0]),
  ]);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += MOST_COMPARED) {
    const part = bytes.subarray(at, at + MOST_COMPARED);
    parts.push(`@th,${QUESTION_BIT + at * 8},${part.length * 8} 0x${part.toString('hex')}`);
  }
  return parts.join(' ');
}

/** @param status `Exited (137) 3 seconds ago` */
function endOf(status: string): 'ended' | 'failed' {
  return /^Exited \(0\)/.test(status) ? 'ended' : 'failed';
}

/** The engine takes 0 for no limit. */
function nanoCpus(cores: number): number {
  return Math.max(10_000_000, Math.round(cores * 1e9));
}

/** `f3` of `RUN/f3`, for names of rules. */
function faultNumber(id: string): string {
  return id.slice(id.indexOf('/') + 1).replaceAll(/\W/g, '_');
}

/** `counter hit { packets 12 bytes 3 }`, `Sent 12 bytes 3 pkt (dropped 1, overlimits 2 ...`, `queued packets 7`. */
export function countsOf(line: string): Readonly<Record<string, number>> {
  const named = [...line.matchAll(/counter (\w+) packets (\d+)/g)].map(([, name = '', count]) => [name, Number(count)]);
  const qdisc = /Sent \d+ bytes (\d+) pkt \(dropped (\d+), overlimits (\d+)/.exec(line);
  const queued = /queued packets (\d+)/.exec(line)?.[1];
  const burnt = /burnt (\d+)/.exec(line)?.[1];
  const probe = /probe found (\d) ms (\d+)/.exec(line);
  return Object.fromEntries([
    ...named,
    ...(qdisc === null
      ? []
      : [
          ['seen', Number(qdisc[1])],
          ['dropped', Number(qdisc[2])],
          ['heldBack', Number(qdisc[3])],
        ]),
    ...(queued === undefined ? [] : [['seen', Number(queued)]]),
    ...(burnt === undefined ? [] : [['burnt', Number(burnt)]]),
    ...(probe === null
      ? []
      : [
          ['found', Number(probe[1])],
          ['probeMs', Number(probe[2])],
        ]),
  ]);
}

/** The engine's log frames: 8 bytes of head, of which the last four are the length. */
function textOf(raw: Buffer): string {
  const parts: string[] = [];
  for (let at = 0; at + 8 <= raw.length; ) {
    const length = raw.readUInt32BE(at + 4);
    parts.push(raw.toString('utf8', at + 8, at + 8 + length));
    at += 8 + length;
  }
  return parts.join('');
}
