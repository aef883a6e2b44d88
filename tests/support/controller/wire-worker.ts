import { randomUUID } from 'node:crypto';
import { pid } from 'node:process';
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import {
  type Health,
  type Order,
  PROTOCOL,
  type Registered,
  type Registration,
} from '../../../client-sim/protocol/messages.js';
import { parseOrder } from '../../../client-sim/protocol/order-codec.js';
import type { Acknowledgement, Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { emptyHistogram } from '../protocol/library-histogram.js';

/** Speaks the worker protocol over real HTTP, one call at a time, so that tests can misuse it. */
export class WireWorker {
  readonly registration: Registration;
  readonly registrationToken: string | undefined;
  id = '';
  token = '';

  constructor(
    readonly url: string,
    registration: Partial<Registration> = {},
    registrationToken?: string,
  ) {
    this.registrationToken = registrationToken;
    this.registration = {
      protocol: PROTOCOL,
      host: 'test',
      pid,
      capacity: { clients: 1000, ratePerSecond: 100_000, connections: 1000 },
      threads: 1,
      version: 'test',
      incarnation: randomUUID(),
      ...registration,
    };
  }

  async register(): Promise<Registered> {
    const answer = await this.call('/workers', this.registration, this.registrationToken);
    if (answer.status !== 201) throw new Error(`registration: ${answer.status} ${await answer.text()}`);
    const registered = (await answer.json()) as Registered;
    this.id = registered.workerId;
    this.token = registered.token;
    return registered;
  }

  heartbeat(change: Partial<Health> = {}): Promise<Response> {
    return this.own('heartbeat', { protocol: PROTOCOL, now: Date.now(), health: { ...goodHealth, ...change } });
  }

  telemetry(batch: Telemetry): Promise<Response> {
    return this.own('telemetry', batch);
  }

  async deliver(batch: Telemetry): Promise<number> {
    const answer = await this.telemetry(batch);
    if (!answer.ok) throw new Error(`telemetry: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as Acknowledgement).acknowledged;
  }

  preflight(runId: string, problem?: string): Promise<Response> {
    const found =
      problem === undefined
        ? {
            ok: true,
            pinned: { era: 'legacy', version: '2025-11-25', sessions: true },
            serverInfo: { name: 'test', version: '1' },
          }
        : { ok: false, problem };
    const exchange = {
      step: 'initialize',
      request: 'POST /mcp',
      response: 'HTTP/1.1 500',
      durationMs: 1,
      ok: problem === undefined,
    };
    return this.own('preflight', { protocol: PROTOCOL, runId, tools: [], exchanges: [exchange], ...found });
  }

  /** Numbered orders as they come, until the stream ends or is aborted. */
  async *orders(
    lastEventId: number,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly id: number; readonly order: Order }> {
    const headers = {
      authorization: `Bearer ${this.token}`,
      ...(lastEventId > 0 ? { 'last-event-id': String(lastEventId) } : {}),
    };
    const answer = await fetch(`${this.url}/workers/${this.id}/assignments`, { headers, signal });
    if (!answer.ok || answer.body === null) throw new Error(`orders: ${answer.status}`);
    for await (const { id, data } of readSse(answer.body)) yield { id, order: parseOrder(JSON.stringify(data)) };
  }

  own(endpoint: string, body: unknown): Promise<Response> {
    return this.call(`/workers/${this.id}/${endpoint}`, body, this.token);
  }

  call(path: string, body: unknown, token?: string): Promise<Response> {
    const headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    });
  }
}

/** Events of a server-sent stream with one `data:` line each, like ours. */
export async function* readSse(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ readonly id: number; readonly type: string; readonly data: unknown }> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      text = text.slice(end + 2);
      const data = fields.get('data');
      if (data !== undefined)
        yield { id: Number(fields.get('id')), type: fields.get('event') ?? '', data: JSON.parse(data) as unknown };
    }
  }
}

const goodHealth: Health = {
  cpu: 0.1,
  memoryBytes: 1e8,
  eventLoopUtilization: 0.1,
  eventLoopDelayP99Ms: 1,
  lagP99Ms: 0.5,
  throttledRatio: 0,
  clients: 1,
  sessions: 1,
  connections: 1,
  inFlight: 0,
  queued: 0,
  openFiles: 10,
  openFilesLimit: 1024,
  saturated: false,
};

interface BatchSpec {
  readonly runId: string;
  readonly sequence: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** All of them are answered. */
  readonly operations: number;
  /** How many of them failed. */
  readonly failed?: number;
  readonly stage?: number;
  readonly clients?: number;
  readonly final?: NonNullable<Telemetry['final']>;
}

export function batchOf(spec: BatchSpec): Telemetry {
  const { runId, sequence, fromMs, toMs, operations, failed = 0, stage = 0, clients = 1, final } = spec;
  const succeeded = operations - failed;
  const latency = histogramOf(1000, succeeded);
  const series = {
    stage,
    profile: 'steady',
    operation: 'echo',
    offered: operations,
    sent: operations,
    succeeded,
    failed,
    dropped: 0,
    lost: 0,
    unsent: 0,
    errors: failed > 0 ? { tool_error: failed } : {},
  };
  return {
    protocol: PROTOCOL,
    runId,
    sequence,
    fromMs,
    toMs,
    stage,
    series: [{ ...series, histograms: succeeded > 0 ? { latency, service: latency, lag: latency } : {} }],
    sessions: [
      {
        stage,
        profile: 'steady',
        sessionsOpened: 0,
        sessionsClosed: 0,
        sessionsLost: 0,
        sessionsAnswered: 0,
        connectionsOpened: 0,
        connectFailures: {},
        messagesSent: operations,
        messagesReceived: operations,
        bytesSent: 0,
        bytesReceived: 0,
        lateAnswers: 0,
        misbehaved: {},
      },
    ],
    gauges: { clients, sessions: clients, connections: clients, inFlight: 0, queued: 0 },
    health: goodHealth,
    samples: [],
    ...(final === undefined ? {} : { final }),
  };
}

function histogramOf(valueUs: number, count: number): string {
  const histogram = emptyHistogram();
  if (count > 0) histogram.recordValueWithCount(valueUs, count);
  return encodeIntoCompressedBase64(histogram);
}
