import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import type { LiveView } from '../../analysis/live-view.js';
import type { RunRequest } from '../../api/run-request.js';
import type { RunEvent } from '../../log/events.js';
import { codeOf, messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';

const created = z.looseObject({ runId: z.string().regex(/^[\w.-]+$/), queuePosition: z.number().optional() });
const runView = z.looseObject({ state: z.looseObject({ kind: z.string() }) });
const runList = z.looseObject({
  runs: z.array(
    z.looseObject({
      runId: z.string().regex(/^[\w.-]+$/),
      scenario: z.string(),
      createdAt: z.string(),
      state: z.looseObject({
        kind: z.string(),
        verdict: z.looseObject({ kind: z.string() }).optional(),
      }),
    }),
  ),
});
export type RemoteRun = z.infer<typeof runList>['runs'][number];
const artifactList = z.looseObject({ artifacts: z.array(z.looseObject({ name: z.string(), bytes: z.number() })) });
const failure = z.looseObject({
  error: z.looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});

interface Artifact {
  readonly name: string;
  readonly bytes: number;
}

interface HarnessApiOptions {
  /** Without a path. */
  readonly url: string;
  readonly token: string | undefined;
  /** PEM text of the authorities to trust, instead of those of the system. */
  readonly ca?: string;
}

interface Call {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without a time limit for the answer. */
  readonly stream?: boolean;
}

const CALL_MS = 30_000;
const READY_POLL_MS = 300;
const RECONNECT_MS = 500;
/** How long a harness may be unreachable in the middle of a run: one that restarts adopts its runs. */
const AWAY_MS = 60_000;

/**
 * The REST API of a harness elsewhere, as the command line uses it. Its errors are CliErrors: HARNESS_UNREACHABLE, or
 * the code and message that the harness answered.
 */
export class HarnessApi {
  private readonly url: string;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly dispatcher: { readonly dispatcher?: Agent };

  constructor({ url, token, ca }: HarnessApiOptions) {
    this.url = url;
    this.dispatcher = ca === undefined ? {} : { dispatcher: new Agent({ connect: { ca } }) };
    this.headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  async waitUntilReady(withinMs: number, signal: AbortSignal): Promise<void> {
    const giveUpAt = performance.now() + withinMs;
    for (;;) {
      try {
        const answer = await this.call('/readyz', {}, signal);
        return await answer.body.dump();
      } catch (error) {
        signal.throwIfAborted();
        if (performance.now() > giveUpAt) throw error;
        await sleep(READY_POLL_MS, undefined, { signal });
      }
    }
  }

  /** @throws CliError UNAUTHORIZED when the harness does not know the token */
  async tryToken(signal: AbortSignal): Promise<void> {
    await (await this.call('/counters-stats', {}, signal)).body.dump();
  }

  async start(runRequest: RunRequest, signal: AbortSignal): Promise<z.infer<typeof created>> {
    return created.parse(await this.json('/runs', { body: runRequest }, signal));
  }

  async stop(runId: string, mode: 'drain' | 'now', detail: string): Promise<void> {
    const body = { mode, reason: 'interrupt', detail };
    const answer = await this.call(`/runs/${runId}/stop`, { body }, AbortSignal.timeout(CALL_MS));
    await answer.body.dump();
  }

  /** Undefined before the load and after it. */
  async live(runId: string, signal: AbortSignal): Promise<LiveView | undefined> {
    const answer = await this.send(`/runs/${runId}/live`, {}, signal);
    if (isSuccess(answer)) return (await answer.body.json()) as LiveView;
    await answer.body.dump();
    return undefined;
  }

  /** All events of the run, each once and in order, across broken connections and a restart of the harness. */
  async *events(runId: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
    let last = 0;
    let awaySince = performance.now();
    for (;;) {
      try {
        const headers = { 'last-event-id': String(last) };
        const answer = await this.call(`/runs/${runId}/events`, { headers, stream: true }, signal);
        awaySince = performance.now();
        for await (const data of readServerSentEvents(answer.body)) {
          const event = JSON.parse(data) as RunEvent;
          if (event.seq <= last) continue;
          last = event.seq;
          awaySince = performance.now();
          yield event;
        }
        // The stream ends when the run is finished and its reports are written, or because the harness went away.
        if (await this.isOver(runId, signal)) return;
      } catch (error) {
        signal.throwIfAborted();
        const isRefusal = error instanceof CliError && error.code !== 'HARNESS_UNREACHABLE';
        if (isRefusal || performance.now() - awaySince > AWAY_MS) throw error;
      }
      await sleep(RECONNECT_MS, undefined, { signal });
    }
  }

  /** Newest first. */
  async runs(signal: AbortSignal): Promise<readonly RemoteRun[]> {
    return runList.parse(await this.json('/runs', {}, signal)).runs;
  }

  async artifacts(runId: string, signal: AbortSignal): Promise<readonly Artifact[]> {
    return artifactList.parse(await this.json(`/runs/${runId}/artifacts`, {}, signal)).artifacts;
  }

  /** Writes the whole file or none. */
  async download(runId: string, name: string, path: string, signal: AbortSignal): Promise<void> {
    const answer = await this.call(`/runs/${runId}/artifacts/${encodeURIComponent(name)}`, { stream: true }, signal);
    await pipeline(answer.body, createWriteStream(`${path}.part`), { signal });
    await rename(`${path}.part`, path);
  }

  private async isOver(runId: string, signal: AbortSignal): Promise<boolean> {
    return runView.parse(await this.json(`/runs/${runId}`, {}, signal)).state.kind === 'finished';
  }

  private async json(path: string, call: Call, signal: AbortSignal): Promise<unknown> {
    return (await this.call(path, call, signal)).body.json();
  }

  /** @throws CliError for every answer that is not a success */
  private async call(path: string, call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const answer = await this.send(path, call, signal);
    if (isSuccess(answer)) return answer;
    const { statusCode } = answer;
    const refusal = failure.safeParse(await answer.body.json().catch(() => undefined)).data?.error;
    throw new CliError({
      code: refusal?.code ?? 'HARNESS_ANSWER',
      message: refusal?.message ?? `${this.url}${path} answered ${statusCode}`,
      hint:
        statusCode === 401
          ? ['use --token-file to name a file with a token of that harness', refusal?.hint ?? ''].join('. ')
          : refusal?.hint,
      exitCode: statusCode >= 500 ? exitCode.unreachable : exitCode.usage,
    });
  }

  /** @throws CliError HARNESS_UNREACHABLE */
  private async send(
    path: string,
    { body, headers = {}, stream = false }: Call,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request(`${this.url}${path}`, {
        ...this.dispatcher,
        method: body === undefined ? 'GET' : 'POST',
        body: body === undefined ? null : JSON.stringify(body),
        headers: { ...this.headers, ...headers },
        signal: stream ? signal : AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new CliError({
        code: 'HARNESS_UNREACHABLE',
        // A host with several addresses fails with an error that has a code and no message.
        message: `no harness answers at ${this.url}: ${messageOf(error) || codeOf(error)}`,
        hint: '`swarmbench status` shows whether it runs; choose another address with --controller',
        exitCode: exitCode.unreachable,
      });
    }
  }
}

function isSuccess({ statusCode }: Dispatcher.ResponseData): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** The data of each event. */
async function* readServerSentEvents(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const complete: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => complete.push(data) });
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* complete.splice(0);
  }
}
