import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Plan } from '../../scenarios/schema/plan.js';
import type { Controller } from '../controller/controller.js';
import type { Worker } from '../controller/workers/worker-registry.js';
import { RunHistory } from '../log/run-history.js';
import { createControllerMetrics, type MetricsSource } from '../observe/controller-metrics.js';
import { AccessRules, type ApiAccess, isLoopback, loopbackAccess } from './access.js';
import type { ApiEndpoint } from './api-endpoint.js';
import { createApp } from './app.js';
import { AuditLog } from './audit.js';
import { artifactEndpoints } from './endpoints/artifacts.js';
import { catalogueEndpoints } from './endpoints/catalogue.js';
import { type ClusterSource, clusterEndpoints } from './endpoints/cluster.js';
import { eventEndpoints } from './endpoints/events.js';
import { faultEndpoints } from './endpoints/faults.js';
import { runEndpoints } from './endpoints/runs.js';
import { systemEndpoints } from './endpoints/system.js';
import { tokenEndpoints } from './endpoints/tokens.js';
import { workerEndpoints } from './endpoints/workers.js';
import { openapiDocument } from './openapi.js';
import { TokenBook } from './tokens.js';

export interface ApiOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Default: open on loopback, and beyond it the tokens of the results folder. */
  readonly access?: ApiAccess;
  /** The tokens that the API manages; default: those of the results folder. */
  readonly tokens?: TokenBook;
  /** PEM texts; with them, the API speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The URL at which workers reach this API, when it is not the one it is bound to (0.0.0.0, a proxy). */
  readonly publicUrl?: string;
  readonly allowTargets?: readonly string[];
  /** The swarm that the controller is part of, if any. */
  readonly cluster?: ClusterSource;
  readonly version: string;
  readonly onInternalError?: (error: unknown) => void;
}

export interface Api {
  readonly url: string;
  /** Cuts open streams after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** Serves the REST API of the controller, which may then start runs. @throws Error of listen(2), such as EADDRINUSE */
export async function startApi(controller: Controller, options: ApiOptions): Promise<Api> {
  const { host, port, allowTargets = [], onInternalError = () => undefined } = options;
  const tokens = options.tokens ?? new TokenBook(controller.resultsFolder);
  const access = options.access ?? (isLoopback(host) ? loopbackAccess : tokenAccess(tokens));
  const audit = new AuditLog(controller.resultsFolder, () => controller.now());
  const history = new RunHistory(controller.resultsFolder);
  const metrics = createControllerMetrics(metricsSource(controller, options.cluster));
  const endpoints: ApiEndpoint[] = [
    ...runEndpoints({ controller, history, allowTargets }),
    ...eventEndpoints(controller, history),
    ...faultEndpoints(controller),
    ...artifactEndpoints(controller, history),
    ...workerEndpoints(controller),
    ...catalogueEndpoints(),
    ...clusterEndpoints(options.cluster),
    ...tokenEndpoints(tokens, audit),
    ...systemEndpoints(controller, metrics, () => openapiDocument(endpoints, options.version)),
  ];
  const app = createApp({ endpoints, access: new AccessRules(access, controller), audit, onInternalError });
  const server =
    options.tls === undefined ? createServer(HTTP, app) : createTlsServer({ ...HTTP, ...options.tls }, app);
  server.listen(port, host);
  await once(server, 'listening');
  const url = urlOf(server, host, options.tls === undefined ? 'http' : 'https');
  const arrival = options.tls === undefined ? 'connection' : 'secureConnection';
  controller.listening(options.publicUrl ?? url, (connection) => void server.emit(arrival, connection));
  return { url, close: (graceMs = 1000) => close(server, graceMs) };
}

const HTTP = { keepAliveTimeout: 60_000 } as const;

/** Every call needs one of these tokens. @param where a caller gets one */
export function tokenAccess(tokens: TokenBook, where = ''): ApiAccess {
  return { kind: 'tokens', find: (secret) => tokens.find(secret), hint: where };
}

function urlOf(server: Server, host: string, scheme: 'http' | 'https'): string {
  const { port, family } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${scheme}://${family === 'IPv6' && name.includes(':') ? `[${name}]` : name}:${port}`;
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}

function metricsSource(controller: Controller, cluster: ClusterSource | undefined): MetricsSource {
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
      for (const worker of registry.all()) counts[stateOf(worker)] += 1;
      return counts;
    },
    heartbeatTimeouts: () => registry.heartbeatTimeouts,
    telemetryBatches: () => controller.telemetryTotals.telemetryBatches,
    telemetryBytes: () => controller.telemetryTotals.telemetryBytes,
    cluster: () => cluster?.gauges?.(),
  };
}

function stateOf({ lost, saturatedBy, runListener }: Worker): keyof ReturnType<MetricsSource['workers']> {
  if (lost) return 'lost';
  if (saturatedBy !== undefined) return 'saturated';
  return runListener === undefined ? 'idle' : 'working';
}

/** The limit that applies to the whole load; thresholds on a part of it have labels. */
function latencyP95Limit({ thresholds }: Plan): number | undefined {
  const limits = thresholds.filter(
    ({ check }) =>
      check.metric === 'latency.p95' && check.comparison.startsWith('<') && Object.keys(check.labels).length === 0,
  );
  return limits[0]?.check.value;
}
