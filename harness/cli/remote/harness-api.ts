import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { LiveView } from '../../analysis/live-view.js';
import type { RunRequest } from '../../api/run-request.js';
import type { RunEvent } from '../../log/events.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';

/** The REST API of a harness elsewhere, as the command line uses it. */

const created = z.looseObject({ runId: z.string().regex(/^[\w.-]+$/), queuePosition: z.number().optional() });
const artifacts = z.looseObject({ artifacts: z.array(z.looseObject({ name: z.string(), bytes: z.number() })) });
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
}

const CALL_MS = 30_000;
const READY_LOOK_MS = 300;
const RECONNECT_MS = 500;
/** A harness that is restarted adopts its runs; this is how long it may take to come back. */
const AWAY_MS = 60_000;

/** Errors are CliErrors: HARNESS_UNREACHABLE, or the harness's own code and words. */
export class HarnessApi {
  private readonly url: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor({ url, token }: HarnessApiOptions) {
    this.url = url;
    this.headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async waitUntilReady(withinMs: number, signal: AbortSignal): Promise<void> {
    const giveUpAt = performance.now() + withinMs;
    for (;;) {
      try {
        return void (await this.call('/readyz', {}, signal));
      } catch (error) {
        signal.throwIfAborted();
        if (performance.now() > giveUpAt) throw error;
        await sleep(READY_LOOK_MS, undefined, { signal });
      }
    }
  }

  async start(request: RunRequest, signal: AbortSignal): Promise<z.infer<typeof created>> {
    return created.parse(await (await this.call('/runs', { body: request }, signal)).json());
  }

  async stop(runId: string, mode: 'drain' | 'now', detail: string): Promise<void> {
    await this.call(
      `/runs/${runId}/stop`,
      { body: { mode, reason: 'interrupt', detail } },
      AbortSignal.timeout(CALL_MS),
    );
  }

  /** Undefined before the load and after it. */
  async live(runId: string, signal: AbortSignal): Promise<LiveView | undefined> {
    const answer = await this.fetch(`/runs/${runId}/live`, {}, signal);
    return answer.ok ? ((await answer.json()) as LiveView) : undefined;
  }

  /** All of them, each once, in order, over broken connections and a harness that is restarted; ends with the run. */
  async *events(runId: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
    let last = 0;
    let awaySince = performance.now();
    for (;;) {
      try {
        const answer = await this.call(
          `/runs/${runId}/events`,
          { headers: { 'last-event-id': String(last) }, stream: true },
          signal,
        );
        awaySince = performance.now();
        for await (const data of readServerSentEvents(answer)) {
          const event = JSON.parse(data) as RunEvent;
          if (event.seq <= last) continue;
          last = event.seq;
          awaySince = performance.now();
          yield event;
        }
        // It ends after `run.finished`, when the reports are written and everything is at rest; or because the harness
        // went away.
        if (await this.isOver(runId, signal)) return;
      } catch (error) {
        signal.throwIfAborted();
        const gone = error instanceof CliError && error.code !== 'HARNESS_UNREACHABLE';
        if (gone || performance.now() - awaySince > AWAY_MS) throw error;
      }
      await sleep(RECONNECT_MS, undefined, { signal });
    }
  }

  async artifacts(runId: string, signal: AbortSignal): Promise<readonly Artifact[]> {
    return artifacts.parse(await (await this.call(`/runs/${runId}/artifacts`, {}, signal)).json()).artifacts;
  }

  /** Whole or not at all. */
  async download(runId: string, name: string, path: string, signal: AbortSignal): Promise<void> {
    const answer = await this.call(`/runs/${runId}/artifacts/${encodeURIComponent(name)}`, { stream: true }, signal);
    if (answer.body === null)
      throw new CliError({
        code: 'HARNESS_ANSWER',
        message: `${name} of ${runId} came without content`,
        exitCode: exitCode.internal,
      });
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(`${path}.part`), { signal });
    await rename(`${path}.part`, path);
  }

  private async isOver(runId: string, signal: AbortSignal): Promise<boolean> {
    const view = z
      .looseObject({ state: z.looseObject({ kind: z.string() }) })
      .parse(await (await this.call(`/runs/${runId}`, {}, signal)).json());
    return view.state.kind === 'finished';
  }

  private async call(path: string, how: Call, signal: AbortSignal): Promise<Response> {
    const answer = await this.fetch(path, how, signal);
    if (answer.ok) return answer;
    const told = failure.safeParse(await answer.json().catch(() => undefined)).data?.error;
    throw new CliError({
      code: told?.code ?? 'HARNESS_ANSWER',
      message: told?.message ?? `${this.url}${path} answered ${answer.status}`,
      hint:
        answer.status === 401
          ? 'the token is not the one of this harness: --token-file names the file that has it'
          : told?.hint,
      exitCode: answer.status >= 500 ? exitCode.unreachable : exitCode.usage,
    });
  }

  private async fetch(
    path: string,
    { body, headers = {}, stream = false }: Call,
    signal: AbortSignal,
  ): Promise<Response> {
    const limit = stream ? signal : AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]);
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    try {
      return await fetch(`${this.url}${path}`, {
        ...init,
        headers: { ...this.headers, 'content-type': 'application/json', ...headers },
        signal: limit,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new CliError({
        code: 'HARNESS_UNREACHABLE',
        message: `no harness answers at ${this.url}: ${causeOf(error)}`,
        hint: '`swarmbench status` shows whether it runs; --controller names another address',
        exitCode: exitCode.unreachable,
      });
    }
  }
}

interface Call {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** An answer that may take as long as it likes. */
  readonly stream?: boolean;
}

/** `fetch failed` says nothing; its cause does. */
function causeOf(error: unknown): string {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  const one = cause ?? error;
  return typeof one === 'object' && one !== null && 'message' in one && one.message !== ''
    ? String(one.message)
    : String(one);
}

/** The data of each event of a stream that our own API sends: one line of it an event (harness/api/sse-stream.ts). */
async function* readServerSentEvents(answer: Response): AsyncGenerator<string> {
  if (answer.body === null) return;
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of answer.body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length);
  }
}
