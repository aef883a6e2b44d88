import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** Serves `/metrics` and `/healthz`. */
export class MetricsServer {
  private constructor(private readonly server: Server) {}

  /** @throws Error when the port is in use */
  static async start(registry: Registry, host: string, port: number): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      const path = request.url?.split('?')[0];
      if (path === '/healthz') response.end('ok\n');
      else if (path === '/metrics') {
        registry.metrics().then(
          (text) => response.setHeader('content-type', registry.contentType).end(text),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
      } else response.writeHead(404).end('this worker serves /metrics and /healthz\n');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    return new MetricsServer(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
