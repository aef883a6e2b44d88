/**
 * The agent runs on every node, because an engine only knows its own containers. It serves their statistics to
 * Prometheus (`/metrics`) and, with a token, to the harness (`/containers`).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Docker from 'dockerode';
import type { Registry } from 'prom-client';
import { agentMetrics } from './agent-metrics.js';
import { ContainerWatch } from './container-watch.js';

interface AgentOptions {
  /** The engine of this node. */
  readonly docker: Docker;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Required for everything except `/metrics` and `/healthz`. */
  readonly token: string;
  /** Only tasks of this stack; undefined for all tasks. */
  readonly stack: string | undefined;
  /** Default: the name of the node according to its engine. */
  readonly node: string | undefined;
  readonly log: (line: string) => void;
}

interface Agent {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves until the signal is aborted. @throws Error when the engine does not answer, or the port is taken */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const agent = await startAgent(options);
  options.log(`listening on ${agent.url}`);
  if (!signal.aborted) await once(signal, 'abort');
  await agent.close();
}

/** @throws Error when the engine does not answer, or the port is taken */
export async function startAgent({ docker, host, port, token, stack, node, log }: AgentOptions): Promise<Agent> {
  const watch = new ContainerWatch({ docker, stack, node: node ?? (await nodeName(docker)), log });
  await watch.start();
  const registry = agentMetrics(() => watch.containers());
  const server = createServer((request, response) => {
    answer(request, response, { watch, registry, token }).catch((error: unknown) => {
      log(`${request.url}: ${String(error)}`);
      response.writeHead(500).end();
    });
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    watch.close();
    throw error;
  });
  return {
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      watch.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface AnswerContext {
  readonly watch: ContainerWatch;
  readonly registry: Registry;
  readonly token: string;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { watch, registry, token }: AnswerContext,
): Promise<void> {
  const path = request.url?.split('?')[0];
  if (request.method !== 'GET') return json(response, 405, failure('METHOD', 'only GET is supported'));
  if (path === '/metrics')
    return void response.setHeader('content-type', registry.contentType).end(await registry.metrics());
  if (path === '/healthz') return health(response, watch.trouble);
  if (!mayRead(request, token)) return json(response, 401, failure('UNAUTHORISED', 'this call needs a bearer token'));
  if (path === '/containers')
    return json(response, 200, { node: watch.node, containers: watch.containers(), events: watch.events() });
  json(response, 404, failure('NOT_FOUND', 'the paths are /metrics, /healthz and /containers'));
}

function health(response: ServerResponse, trouble: string | undefined): void {
  if (trouble === undefined) json(response, 200, { status: 'ok' });
  else json(response, 503, failure('ENGINE_SILENT', `the engine does not answer: ${trouble}`));
}

/** Compares digests, because timingSafeEqual needs equal lengths. */
function mayRead({ headers }: IncomingMessage, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`));
}

function failure(code: string, message: string): object {
  return { error: { code, message } };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function nodeName(docker: Docker): Promise<string> {
  const { Name } = (await docker.info()) as { readonly Name: string };
  return Name;
}
