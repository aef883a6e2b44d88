import { acknowledgement, type Telemetry } from '../protocol/telemetry.js';
import { ControllerUnreachable } from './controller-http.js';
import type { Membership } from './membership.js';
import { pause, Retry } from './retry.js';

const SEND_TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 5_000;
/** Beyond this much undelivered telemetry the log says so, again at each doubling. Nothing is ever dropped. */
const WARN_BYTES = 64 * 1024 * 1024;
/** HTTP Gone: the run is over for the controller, nobody wants these batches any more. */
const RUN_OVER = 410;

interface Waiting {
  readonly runId: string;
  readonly sequence: number;
  readonly json: string;
}

/** Batches on their way to the controller, in order, resent until acknowledged. */
export class TelemetryQueue {
  private waiting: Waiting[] = [];
  private bytes = 0;
  private warnAtBytes = WARN_BYTES;
  private wake: (() => void) | undefined;

  constructor(
    private readonly membership: Membership,
    private readonly warn: (text: string) => void,
  ) {}

  get empty(): boolean {
    return this.waiting.length === 0;
  }

  /** Of this run; undefined when all is delivered. */
  oldest(runId: string): number | undefined {
    return this.waiting.find((batch) => batch.runId === runId)?.sequence;
  }

  push(batch: Telemetry): void {
    const json = JSON.stringify(batch);
    this.waiting.push({ runId: batch.runId, sequence: batch.sequence, json });
    this.bytes += json.length;
    if (this.bytes > this.warnAtBytes) {
      this.warn(
        `${Math.round(this.bytes / 1024 / 1024)} MiB of telemetry are waiting for the controller (${this.waiting.length} batches); they are kept`,
      );
      this.warnAtBytes *= 2;
    }
    this.wake?.();
  }

  /** Delivers until aborted. @throws RegistrationRefused */
  async run(signal: AbortSignal): Promise<void> {
    const retry = new Retry(LONGEST_PAUSE_MS);
    while (!signal.aborted) {
      const [first] = this.waiting;
      if (first === undefined) await this.nextPush(signal);
      else if (await this.deliver(first, signal)) retry.succeeded();
      else await retry.wait(signal);
    }
  }

  /** Resolves when everything is acknowledged, or when aborted. */
  async drained(signal: AbortSignal): Promise<void> {
    while (!this.empty && !signal.aborted) await pause(20, signal);
  }

  private async deliver(batch: Waiting, signal: AbortSignal): Promise<boolean> {
    try {
      const { status, body } = await this.membership.call('telemetry', batch.json, SEND_TIMEOUT_MS, signal);
      if (status === RUN_OVER) {
        this.warn(`run ${batch.runId} is over for the controller: what was left of its telemetry is dropped`);
        this.remove((other) => other.runId === batch.runId);
        return true;
      }
      const answer = acknowledgement.safeParse(body);
      if (status >= 200 && status < 300 && answer.success) {
        const before = this.waiting.length;
        this.remove((other) => other.runId === batch.runId && other.sequence <= answer.data.acknowledged);
        return this.waiting.length < before;
      }
      if (status >= 400 && status < 500 && status !== 404 && status !== 401) {
        this.warn(
          `the controller refuses batch ${batch.sequence} of run ${batch.runId}: HTTP ${status} ${JSON.stringify(body)?.slice(0, 300) ?? ''}`,
        );
      }
      return false;
    } catch (error) {
      if (error instanceof ControllerUnreachable || signal.aborted) return false;
      throw error;
    }
  }

  private remove(gone: (batch: Waiting) => boolean): void {
    this.waiting = this.waiting.filter((batch) => !gone(batch));
    this.bytes = this.waiting.reduce((sum, batch) => sum + batch.json.length, 0);
    if (this.bytes < WARN_BYTES) this.warnAtBytes = WARN_BYTES;
  }

  private async nextPush(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.wake = undefined;
        resolve();
      };
      this.wake = done;
      signal.addEventListener('abort', done);
    });
  }
}
