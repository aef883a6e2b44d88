import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Plan } from '../../scenarios/schema/plan.js';
import type { Controller } from '../controller/controller.js';
import { RunHistory } from '../log/run-history.js';
import { createControllerMetrics, type MetricsSource } from '../observe/controller-metrics.js';
import { isLoopback } from './access.js';
import type { ApiEndpoint } from './api-endpoint.js';
import { createApp } from './app.js';
import { artifactEndpoints } from './endpoints/artifacts.js';
import { catalogueEndpoints } from './endpoints/catalogue.js';
import { type ClusterSource, clusterEndpoints } from './endpoints/cluster.js';
import { eventEndpoints } from './endpoints/events.js';
import { runEndpoints } from './endpoints/runs.js';
import { systemEndpoints } from './endpoints/system.js';
import { workerEndpoints } from './endpoints/workers.js';
import { openapiDocument } from './openapi.js';
import { loadTokens, type Tokens } from './tokens.js';

export interface ApiOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** In place of the generated ones; given on loopback, they are demanded there too. */
  readonly tokens?: Partial<Tokens>;
  /** Where workers reach this API when that is not where it is bound (0.0.0.0, a proxy). */
  readonly publicUrl?: string;
  readonly allowTargets?: readonly string[];
  /** The swarm it is part of, where it is part of one. */
  readonly cluster?: ClusterSource;
  readonly version: string;
  readonly onInternalError?: (error: unknown) => void;
}

export interface Api {
  readonly url: string;
  /** Undefined: none is demanded. */
  readonly tokens: Tokens | undefined;
  /** Open streams are given `graceMs` to end. */
  close(graceMs?: number): Promise<void>;
}

/** Serves the controller's REST API; from then on it may start runs. @throws Error of listen(2), such as EADDRINUSE */
export async function startApi(controller: Controller, options: ApiOptions): Promise<Api> {
  const { host, port, allowTargets = [], onInternalError = () => undefined } = options;
  const demanded = !isLoopback(host) || options.tokens !== undefined;
  const tokens = demanded ? { ...loadTokens(controller.resultsFolder), ...options.tokens } : undefined;
  const history = new RunHistory(controller.resultsFolder);
  const metrics = createControllerMetrics(metricsSource(controller));
  const endpoints: ApiEndpoint[] = [
    ...runEndpoints({ controller, history, allowTargets }),
    ...eventEndpoints(controller, history),
    ...artifactEndpoints(controller, history),
    ...workerEndpoints(controller),
    ...catalogueEndpoints(),
    ...clusterEndpoints(options.cluster),
    ...systemEndpoints(controller, metrics, () => openapiDocument(endpoints, options.version)),
  ];
  const app = createApp({ endpoints, access: { tokens, registry: controller.registry }, onInternalError });
  const server = createServer({ keepAliveTimeout: 60_000 }, app);
  server.listen(port, host);
  await once(server, 'listening');
  const url = urlOf(server, host);
  controller.listening({ url: options.publicUrl ?? url, workerToken: tokens?.worker });
  return { url, tokens, close: (graceMs = 1000) => close(server, graceMs) };
}

function urlOf(server: Server, host: string): string {
  const { port, family } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${family === 'IPv6' && name.includes(':') ? `[${name}]` : name}:${port}`;
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}

function metricsSource(controller: Controller): MetricsSource {
  const { registry } = controller;
  return {
    run: () => {
      const run = controller.current();
      if (run === undefined) return undefined;
      const { id: runId, plan, state } = run;
      return {
        runId,
        scenario: plan.scenario,
        stage: state.kind === 'running' ? state.stage : -1,
        latencyP95LimitMs: latencyP95Limit(plan),
      };
    },
    workers: () => {
      const counts = { idle: 0, working: 0, saturated: 0, lost: 0 };
      for (const { lost, saturatedBy, runListener } of registry.all()) {
        counts[lost ? 'lost' : saturatedBy !== undefined ? 'saturated' : runListener ? 'working' : 'idle'] += 1;
      }
      return counts;
    },
    heartbeatTimeouts: () => registry.heartbeatTimeouts,
    telemetryBatches: () => controller.telemetryTotals.telemetryBatches,
    telemetryBytes: () => controller.telemetryTotals.telemetryBytes,
  };
}

/** The limit on all of the load; those on a part of it have labels. */
function latencyP95Limit({ thresholds }: Plan): number | undefined {
  const limits = thresholds.filter(
    ({ check }) =>
      check.metric === 'latency.p95' && check.comparison.startsWith('<') && Object.keys(check.labels).length === 0,
  );
  return limits[0]?.check.value;
}
