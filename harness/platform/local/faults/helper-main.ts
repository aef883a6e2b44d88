/**
 * The fault helper of a run on this machine: it holds the proxies before the replicas, and stops and continues
 * processes. It follows the orders in the run folder. When nobody touches the lease of the run any more, it undoes
 * everything by itself, and later ends, as all programs of the run do.
 *
 * usage: helper-main.js --run-folder FOLDER --lease FILE
 */
import { statSync, watch } from 'node:fs';
import { parseArgs } from 'node:util';
import { startTicks } from '../../proc-stat.js';
import {
  faultFolder,
  type HelperState,
  noOrders,
  type Orders,
  type ProxyCounts,
  readOrders,
  readTopology,
  writeState,
} from './fault-files.js';
import { PortProxy, ReplicaRule } from './proxy.js';

/** Orders are looked for when the folder changes, and as often as this where that is not reported. */
const LOOK_MS = 50;
const STATE_MS = 200;
const LEASE_CHECK_MS = 500;
/** A lease that was not touched for so long is lost: everything is undone. */
const LEASE_MS = 10_000;
/** Then a controller may still adopt the run, for as long as its other programs live. */
const END_MS = 60_000;

class FaultHelper {
  private readonly rules = new Map<string, ReplicaRule>();
  private readonly stopped = new Map<string, Orders['paused'][number]>();
  private applied: Orders = noOrders;
  private released = false;
  /** The orders that stood when the lease was lost; only later ones count. */
  private releasedVersion = -1;
  private written = '';

  constructor(
    private readonly runFolder: string,
    private readonly lease: string,
  ) {}

  async start(): Promise<void> {
    const topology = readTopology(this.runFolder);
    if (topology === undefined) throw new Error(`${faultFolder(this.runFolder)} has no topology.json`);
    for (const { id, proxies } of topology.replicas) {
      const rule = new ReplicaRule();
      this.rules.set(id, rule);
      for (const { listen, upstream } of proxies) await PortProxy.start(listen, upstream, rule);
    }
    this.look();
    this.report();
    watch(faultFolder(this.runFolder), () => this.look()).on('error', () => undefined);
    setInterval(() => this.look(), LOOK_MS);
    setInterval(() => this.report(), STATE_MS);
    setInterval(() => this.checkLease(), LEASE_CHECK_MS);
  }

  /** Undoes everything that it has done. */
  release(): void {
    this.releasedVersion = Math.max(this.releasedVersion, this.applied.version);
    this.released = true;
    this.bringAbout(noOrders);
    this.report();
  }

  private look(): void {
    const orders = readOrders(this.runFolder) ?? noOrders;
    if (orders.version <= this.releasedVersion || orders.version === this.applied.version) return;
    this.released = false;
    this.applied = orders;
    this.bringAbout(orders);
    this.report();
  }

  private bringAbout({ rules, paused }: Orders): void {
    for (const [replica, rule] of this.rules) rule.set(rules.find((one) => one.replica === replica)?.rule);
    const wanted = new Map(paused.map((one) => [`${one.pid} ${one.startTicks}`, one]));
    for (const [key, process] of this.stopped) {
      if (wanted.has(key)) continue;
      signal(process, 'SIGCONT');
      this.stopped.delete(key);
    }
    for (const [key, process] of wanted) {
      // Each time: somebody else may have continued it.
      signal(process, 'SIGSTOP');
      this.stopped.set(key, process);
    }
  }

  private report(): void {
    const proxies: Record<string, ProxyCounts> = {};
    for (const [replica, { counts }] of this.rules) proxies[replica] = { ...counts };
    const { pid } = process;
    const ticks = startTicks(pid);
    const state: HelperState = {
      pid,
      ...(ticks === undefined ? {} : { startTicks: ticks }),
      version: this.applied.version,
      released: this.released,
      proxies,
    };
    const text = JSON.stringify(state);
    if (text === this.written) return;
    this.written = text;
    try {
      writeState(this.runFolder, state);
    } catch {
      // The folder was removed, or the disk is full: whoever waits for the state says so.
    }
  }

  private checkLease(): void {
    let ageMs = Infinity;
    try {
      ageMs = Date.now() - statSync(this.lease).mtimeMs;
    } catch {
      // It is gone: the run is over.
    }
    if (ageMs > LEASE_MS && !this.released) this.release();
    if (ageMs > END_MS) process.exit(0);
  }
}

function signal(target: Orders['paused'][number], name: 'SIGSTOP' | 'SIGCONT'): void {
  // A later process with the same id is left alone.
  if (target.startTicks !== undefined && startTicks(target.pid) !== target.startTicks) return;
  try {
    process.kill(-target.pid, name);
  } catch {
    // It has ended.
  }
}

const { values } = parseArgs({ options: { 'run-folder': { type: 'string' }, lease: { type: 'string' } } });
if (values['run-folder'] === undefined || values.lease === undefined) {
  process.stderr.write('usage: helper-main.js --run-folder FOLDER --lease FILE\n');
  process.exit(2);
}
const helper = new FaultHelper(values['run-folder'], values.lease);
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.on(name, () => {
    helper.release();
    process.exit(0);
  });
try {
  await helper.start();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
