/**
 * The agent runs on every node, because an engine only knows its own containers. It serves their statistics to
 * Prometheus (`/metrics`) and, with a token, to the harness (`/containers`), and does the faults that the harness
 * orders (`/faults`).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Docker from 'dockerode';
import type { Registry } from 'prom-client';
import { ZodError } from 'zod';
import { messageOf } from '../support/error-message.js';
import { agentMetrics } from './agent-metrics.js';
import { ContainerWatch } from './container-watch.js';
import { faultName, faultOrder } from './fault-orders.js';
import { NodeFaults, OrderRefused } from './node-faults.js';

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
  /** The image of the helpers that do faults. */
  readonly toolsImage: string;
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
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { docker, host, port, token, stack, node, toolsImage, log } = options;
  const watch = new ContainerWatch({ docker, stack, node: node ?? (await nodeName(docker)), log });
  await watch.start();
  const registry = agentMetrics(() => watch.containers());
  // Without a stack there is nothing that it may strike.
  const faults = stack === undefined ? undefined : new NodeFaults({ docker, stack, toolsImage, log });
  faults?.start();
  const server = createServer((request, response) => {
    answer(request, response, { watch, faults, registry, token }).catch((error: unknown) => {
      log(`${request.url}: ${String(error)}`);
      response.writeHead(500).end();
    });
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    watch.close();
    faults?.close();
    throw error;
  });
  return {
    url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      watch.close();
      faults?.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface AnswerContext {
  readonly watch: ContainerWatch;
  readonly faults: NodeFaults | undefined;
  readonly registry: Registry;
  readonly token: string;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { watch, faults, registry, token }: AnswerContext,
): Promise<void> {
  const path = request.url?.split('?')[0];
  const isOrder = path?.startsWith('/faults') === true && request.method === 'POST';
  if (request.method !== 'GET' && !isOrder)
    return json(response, 405, failure('METHOD', 'only GET is supported, and POST for orders'));
  if (path === '/metrics')
    return void response.setHeader('content-type', registry.contentType).end(await registry.metrics());
  if (path === '/healthz') return health(response, watch.trouble);
  if (!isAllowed(request, token)) return json(response, 401, failure('UNAUTHORISED', 'this call needs a bearer token'));
  if (path === '/containers')
    return json(response, 200, { node: watch.node, containers: watch.containers(), events: watch.events() });
  if (path?.startsWith('/faults') === true && faults !== undefined)
    return answerFaults(request, response, path, faults);
  json(response, 404, failure('NOT_FOUND', 'the paths are /metrics, /healthz, /containers and /faults'));
}

const MOST_BYTES = 64 * 1024;

/** GET: what is on. POST `/faults`, `/faults/renew`, `/faults/undo`; GET `/faults/containers/ID`. */
async function answerFaults(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  faults: NodeFaults,
): Promise<void> {
  const looked = /^\/faults\/containers\/([0-9a-f]{64})$/.exec(path)?.[1];
  if (request.method === 'GET' && looked !== undefined) {
    const found = await faults.look(looked);
    if (found !== undefined) return json(response, 200, found);
    return json(response, 404, failure('NOT_FOUND', 'there is no such container on this node'));
  }
  if (request.method === 'GET') return json(response, 200, { faults: await faults.states() });
  try {
    const body = await bodyOf(request);
    if (path === '/faults') await faults.apply(faultOrder.parse(body));
    else if (path === '/faults/renew') await faults.renew(faultName.parse(body));
    else if (path === '/faults/undo') await faults.undo(faultName.parse(body));
    else return json(response, 404, failure('NOT_FOUND', 'orders go to /faults, /faults/renew and /faults/undo'));
    json(response, 200, {});
  } catch (error) {
    if (error instanceof OrderRefused) return json(response, 409, failure('REFUSED', error.message));
    if (error instanceof ZodError) return json(response, 400, failure('ORDER', messageOf(error)));
    throw error;
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_BYTES) throw new OrderRefused(`an order has at most ${MOST_BYTES} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new OrderRefused('the order is not JSON');
  }
}

function health(response: ServerResponse, trouble: string | undefined): void {
  if (trouble === undefined) json(response, 200, { status: 'ok' });
  else json(response, 503, failure('ENGINE_SILENT', `the engine does not answer: ${trouble}`));
}

/** Compares digests, because timingSafeEqual needs equal lengths. */
function isAllowed({ headers }: IncomingMessage, token: string): boolean {
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
