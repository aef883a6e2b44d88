import { availableParallelism } from 'node:os';
import type { Health } from '../../protocol/messages.js';
import type { Batch } from '../batch.js';
import { percentileMs } from '../duration-histogram.js';
import { type CpuGroup, cpuGroup } from './cgroup.js';
import { localPorts, openFiles, openFilesLimit } from './connection-capacity.js';
import { judgeSaturation, type Saturation } from './saturation.js';

/** The part of the load that a worker's health depends on. */
export interface LoadView {
  /** Undefined while the worker is idle. */
  readonly batch: Batch | undefined;
  readonly threads: number;
  readonly spinning: boolean;
  /** The URLs of the target. */
  readonly urls: readonly string[];
  /** How many local addresses connect to each of them. */
  readonly sources: number;
}

const IDLE_GAUGES = { clients: 0, sessions: 0, connections: 0, inFlight: 0, queued: 0 };

/** The worker's view of itself. A sample covers the time since the one before. */
export class SelfHealth {
  private readonly group: CpuGroup = cpuGroup();
  private readonly filesLimit = openFilesLimit();
  private sampledAt = performance.now();
  private cpu = process.cpuUsage();
  private throttledMs: number | undefined;
  private saturation: Saturation = { saturated: false };

  constructor(private readonly maxClients: number) {
    this.throttledMs = this.group.throttledMs();
  }

  sample(load: LoadView): Health {
    const now = performance.now();
    const elapsedMs = Math.max(1, now - this.sampledAt);
    const used = process.cpuUsage(this.cpu);
    const throttledMs = this.group.throttledMs();
    const ports = localPorts(load.urls, undefined, load.sources);
    const measured = {
      cpu: (used.user + used.system) / 1_000 / elapsedMs,
      cores: Math.min(availableParallelism(), this.group.quotaCores ?? Infinity),
      memoryBytes: process.memoryUsage.rss(),
      eventLoopUtilization: load.batch?.loopUtilization ?? 0,
      eventLoopDelayP99Ms: load.batch?.loopDelayP99Ms ?? 0,
      lagP99Ms: load.batch === undefined ? 0 : percentileMs(load.batch.lagCells(), 99),
      ...(load.batch?.processorWait === undefined ? {} : { processorWait: load.batch.processorWait }),
      throttledRatio: throttledMs === undefined ? 0 : Math.max(0, throttledMs - (this.throttledMs ?? 0)) / elapsedMs,
      ...(load.batch?.totals() ?? IDLE_GAUGES),
      openFiles: openFiles(),
      openFilesLimit: this.filesLimit,
      ...(ports === undefined ? {} : { localPorts: ports.used, localPortsLimit: ports.limit }),
    };
    this.sampledAt = now;
    this.cpu = process.cpuUsage();
    this.throttledMs = throttledMs;
    this.saturation = judgeSaturation(this.saturation, measured, this.limits(load.threads), load.spinning);
    return { ...measured, ...this.saturation };
  }

  private limits(threads: number): { clients: number; cores: number } {
    // The main thread, which encodes telemetry, uses one core more than the engine threads.
    const cores = Math.min(availableParallelism(), this.group.quotaCores ?? Infinity, threads + 1);
    return { clients: this.maxClients, cores };
  }
}
