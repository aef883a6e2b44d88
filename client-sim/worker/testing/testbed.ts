import type { WorkerPlan } from '../../../scenarios/schema/plan.js';
import type { Order, PinnedProtocol } from '../../protocol/messages.js';
import type { Telemetry } from '../../protocol/telemetry.js';
import { McpServer, type McpServerOptions } from '../../testing/mcp-server.js';
import { TestController, type TestControllerOptions } from './test-controller.js';
import { WorkerProcess } from './worker-process.js';

export const PINNED = {
  legacy: { era: 'legacy', version: '2025-11-25', sessions: true },
  modern: { era: 'modern', version: '2026-07-28', sessions: false },
} as const satisfies Record<'legacy' | 'modern', PinnedProtocol>;

/** A controller, a server and a worker process; whatever was started is ended by `close`. */
export class Testbed {
  private constructor(
    readonly controller: TestController,
    readonly server: McpServer,
    readonly worker: WorkerProcess,
    /** Between an order and its load: what a worker needs to start its threads, on a machine as busy as this one. */
    private readonly leadMs: number,
  ) {}

  static async start(
    server: McpServerOptions,
    args: readonly string[] = [],
    controller: TestControllerOptions = {},
  ): Promise<Testbed> {
    const mcp = await McpServer.start(server);
    const boss = await TestController.start(controller);
    const startedAt = performance.now();
    const worker = new WorkerProcess(['--controller', boss.url, '--threads', '2', ...args]);
    await boss.until(() => boss.registrations.length > 0, 'worker registers');
    const tookMs = performance.now() - startedAt;
    await boss.until(() => boss.heartbeats.length > 2, 'worker is heard');
    return new Testbed(boss, mcp, worker, 300 + 1.5 * tookMs);
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

/** Sums over all series of all batches, errors included. */
export function totals(batches: readonly Telemetry[]) {
  const sum = {
    offered: 0,
    sent: 0,
    succeeded: 0,
    failed: 0,
    dropped: 0,
    lost: 0,
    unsent: 0,
    sessionsOpened: 0,
    sessionsClosed: 0,
    sessionsLost: 0,
    connectionsOpened: 0,
    errors: {} as Record<string, number>,
  };
  for (const batch of batches) {
    for (const row of batch.series) {
      for (const name of ['offered', 'sent', 'succeeded', 'failed', 'dropped', 'lost', 'unsent'] as const)
        sum[name] += row[name];
      for (const [category, count] of Object.entries(row.errors))
        sum.errors[category] = (sum.errors[category] ?? 0) + count;
    }
    for (const row of batch.sessions)
      for (const name of ['sessionsOpened', 'sessionsClosed', 'sessionsLost', 'connectionsOpened'] as const)
        sum[name] += row[name];
  }
  return sum;
}
