import type { Order, PinnedProtocol } from '../../../client-sim/protocol/messages.js';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { WorkerPlan } from '../../../scenarios/schema/plan.js';
import { McpServer, type McpServerOptions } from '../../support/client-sim/mcp-server.js';
import { sumOfSeries } from '../../support/client-sim/sum-of-series.js';
import { TestController, type TestControllerOptions } from './test-controller.js';
import { WorkerProcess } from './worker-process.js';

export const PINNED = {
  legacy: { era: 'legacy', version: '2025-11-25', sessions: true },
  modern: { era: 'modern', version: '2026-07-28', sessions: false },
} as const satisfies Record<'legacy' | 'modern', PinnedProtocol>;

/** A controller, a server and a worker process. `close` ends all of them. */
export class Testbed {
  private constructor(
    readonly controller: TestController,
    readonly server: McpServer,
    readonly worker: WorkerProcess,
    /** Time between an order and its load: enough for a worker to start its threads, however busy this machine is. */
    private readonly leadMs: number,
  ) {}

  static async start(
    server: McpServerOptions,
    args: readonly string[] = [],
    controllerOptions: TestControllerOptions = {},
  ): Promise<Testbed> {
    const mcp = await McpServer.start(server);
    const controller = await TestController.start(controllerOptions);
    const startedAt = performance.now();
    const worker = new WorkerProcess(['--controller', controller.url, '--threads', '2', ...args]);
    await controller.until(() => controller.registrations.length > 0, 'worker registers');
    const tookMs = performance.now() - startedAt;
    await controller.until(() => controller.heartbeats.length > 2, 'heartbeats');
    return new Testbed(controller, mcp, worker, 300 + 1.5 * tookMs);
  }

  assign(
    plan: WorkerPlan,
    era: 'legacy' | 'modern',
    overrides: Partial<Extract<Order, { type: 'assignment' }>> = {},
  ): void {
    this.controller.order({
      type: 'assignment',
      protocol: 1,
      runId: 'run-1',
      workerId: 'w1',
      assignmentId: 'a1',
      plan,
      endpoints: [{ url: this.server.url, headers: {} }],
      pinned: PINNED[era],
      slots: plan.profiles.map((profile, index) => ({ profile: index, start: 0, step: 1, count: profile.clients })),
      startAt: Math.ceil(Date.now() + this.leadMs),
      joinMs: 0,
      ...overrides,
    });
  }

  async finished(budgetMs?: number): Promise<readonly Telemetry[]> {
    await this.controller.until(
      () => this.controller.finalBatch !== undefined,
      `final batch; worker said:\n${this.worker.log}`,
      budgetMs,
    );
    return this.controller.batches;
  }

  async close(): Promise<void> {
    await this.worker.end();
    await this.controller.close();
    await this.server.close();
  }
}

interface Totals extends ReturnType<typeof sumOfSeries> {
  sessionsOpened: number;
  sessionsClosed: number;
  sessionsLost: number;
  connectionsOpened: number;
}

/** Adds up all series and sessions of all batches. */
export function totals(batches: readonly Telemetry[]): Totals {
  const sum = {
    ...sumOfSeries(batches.flatMap(({ series }) => series)),
    sessionsOpened: 0,
    sessionsClosed: 0,
    sessionsLost: 0,
    connectionsOpened: 0,
  };
  for (const row of batches.flatMap(({ sessions }) => sessions)) {
    for (const name of ['sessionsOpened', 'sessionsClosed', 'sessionsLost', 'connectionsOpened'] as const)
      sum[name] += row[name];
  }
  return sum;
}
