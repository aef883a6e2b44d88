import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Heartbeat,
  heartbeat,
  type Order,
  PROTOCOL,
  type PreflightResult,
  preflightResult,
  type Registration,
  registration,
} from '../../../client-sim/protocol/messages.js';
import { type Telemetry, telemetry } from '../../../client-sim/protocol/telemetry.js';

export interface TestControllerOptions {
  readonly heartbeatMs?: number;
  readonly leaseMs?: number;
  readonly port?: number;
}

/** A controller for one worker, which can be made to misbehave. */
export class TestController {
  readonly registrations: Registration[] = [];
  readonly heartbeats: Heartbeat[] = [];
  readonly batches: Telemetry[] = [];
  readonly preflights: PreflightResult[] = [];
  /** Batches that arrived again after they were accepted. */
  repeated = 0;
  /** While true, answers to telemetry are lost after it was accepted. */
  loseAcknowledgements = false;
  /** While false, the worker's calls are answered with 404 until it registers again. */
  known = false;
  private orders: Order[] = [];
  private stream: ServerResponse | undefined;
  private watchers: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly options: TestControllerOptions,
  ) {}

  static async start(options: TestControllerOptions = {}): Promise<TestController> {
    const server = createServer();
    const controller = new TestController(server, options);
    server.on('request', (request, response) => void controller.serve(request, response));
    await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return controller;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get token(): string {
    return 'secret-of-w1';
  }

  order(order: Order): void {
    this.orders.push(order);
    this.send(this.orders.length);
  }

  /** Cuts the stream of orders; the worker connects again. */
  cutStream(): void {
    this.stream?.destroy();
  }

  get finalBatch(): Telemetry | undefined {
    return this.batches.find((batch) => batch.final !== undefined);
  }

  /** Resolves when `condition` holds. It is checked after each message. */
  async until(condition: () => boolean, what: string, budgetMs = 45_000): Promise<void> {
    const giveUpAt = performance.now() + budgetMs;
    while (!condition()) {
      if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${budgetMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.watchers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const path = request.url ?? '';
    if (path === '/workers') this.register(body, response);
    else if (!this.known || !path.startsWith('/workers/w1/')) response.writeHead(404).end('{}');
    else if (request.headers.authorization !== `Bearer ${this.token}`) response.writeHead(401).end('{}');
    else this.answer(path.slice('/workers/w1/'.length), body, request, response);
    for (const watcher of this.watchers.splice(0)) watcher();
  }

  private register(body: unknown, response: ServerResponse): void {
    this.registrations.push(registration.parse(body));
    this.known = true;
    const { heartbeatMs = 200, leaseMs = 5_000 } = this.options;
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ protocol: PROTOCOL, workerId: 'w1', token: this.token, heartbeatMs, leaseMs, now: Date.now() }),
    );
  }

  private answer(route: string, body: unknown, request: IncomingMessage, response: ServerResponse): void {
    switch (route) {
      case 'heartbeat':
        this.heartbeats.push(heartbeat.parse(body));
        response.end(JSON.stringify({ protocol: PROTOCOL, now: Date.now() }));
        return;
      case 'preflight':
        this.preflights.push(preflightResult.parse(body));
        response.writeHead(202).end(JSON.stringify({ protocol: PROTOCOL }));
        return;
      case 'telemetry':
        this.accept(telemetry.parse(body), response);
        return;
      case 'assignments':
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(': connected\n\n');
        this.stream = response;
        for (let id = Number(request.headers['last-event-id'] ?? 0) + 1; id <= this.orders.length; id++) this.send(id);
        return;
    }
  }

  private accept(batch: Telemetry, response: ServerResponse): void {
    const acknowledged = this.batches.filter((accepted) => accepted.runId === batch.runId).length;
    if (batch.sequence === acknowledged + 1) this.batches.push(batch);
    else if (batch.sequence <= acknowledged) this.repeated++;
    if (this.loseAcknowledgements) response.destroy();
    else
      response.end(
        JSON.stringify({
          protocol: PROTOCOL,
          acknowledged: Math.max(acknowledged, batch.sequence === acknowledged + 1 ? batch.sequence : 0),
        }),
      );
  }

  private send(id: number): void {
    const order = this.orders[id - 1];
    if (order !== undefined) this.stream?.write(`id: ${id}\nevent: ${order.type}\ndata: ${JSON.stringify(order)}\n\n`);
  }
}
