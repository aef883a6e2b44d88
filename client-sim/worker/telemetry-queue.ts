import { acknowledgement, type Telemetry } from '../protocol/telemetry.js';
import { ControllerUnreachable } from './controller-http.js';
import type { Membership } from './membership.js';
import { pause, Retry } from './retry.js';

const SEND_TIMEOUT_MS = 10_000;
const MAX_PAUSE_MS = 5_000;
/** More undelivered telemetry than this is logged, again at each doubling. It is never dropped. */
const WARN_BYTES = 64 * 1024 * 1024;
/** HTTP Gone: the run is over for the controller, which takes no more batches of it. */
const RUN_OVER = 410;

interface QueuedBatch {
  readonly runId: string;
  readonly sequence: number;
  readonly json: string;
}

/** Delivers batches to the controller in order, and sends each again until it is acknowledged. */
export class TelemetryQueue {
  private batches: QueuedBatch[] = [];
  private bytes = 0;
  private warnAtBytes = WARN_BYTES;
  private wake: (() => void) | undefined;

  constructor(
    private readonly membership: Membership,
    private readonly warn: (text: string) => void,
  ) {}

  get empty(): boolean {
    return this.batches.length === 0;
  }

  /** The first batch of this run that is not acknowledged; undefined when all are. */
  oldestSequence(runId: string): number | undefined {
    return this.batches.find((batch) => batch.runId === runId)?.sequence;
  }

  push(batch: Telemetry): void {
    const json = JSON.stringify(batch);
    this.batches.push({ runId: batch.runId, sequence: batch.sequence, json });
    this.bytes += json.length;
    if (this.bytes > this.warnAtBytes) {
      const mebibytes = Math.round(this.bytes / 1024 / 1024);
      this.warn(`${mebibytes} MiB of telemetry (${this.batches.length} batches) wait for the controller; none is lost`);
      this.warnAtBytes *= 2;
    }
    this.wake?.();
  }

  /** Delivers until aborted. @throws RegistrationRefused */
  async run(signal: AbortSignal): Promise<void> {
    const retry = new Retry(MAX_PAUSE_MS);
    while (!signal.aborted) {
      const [first] = this.batches;
      if (first === undefined) await this.nextPush(signal);
      else if (await this.deliver(first, signal)) retry.succeeded();
      else await retry.wait(signal);
    }
  }

  /** Resolves when everything is acknowledged, or when aborted. */
  async delivered(signal: AbortSignal): Promise<void> {
    while (!this.empty && !signal.aborted) await pause(20, signal);
  }

  /** @returns whether a batch has left the queue */
  private async deliver(batch: QueuedBatch, signal: AbortSignal): Promise<boolean> {
    try {
      const { status, body } = await this.membership.call('telemetry', batch.json, SEND_TIMEOUT_MS, signal);
      if (status === RUN_OVER) {
        this.warn(`the controller has ended run ${batch.runId}: the rest of its telemetry is dropped`);
        this.remove((other) => other.runId === batch.runId);
        return true;
      }
      const answer = acknowledgement.safeParse(body);
      if (status >= 200 && status < 300 && answer.success) {
        const before = this.batches.length;
        this.remove((other) => other.runId === batch.runId && other.sequence <= answer.data.acknowledged);
        return this.batches.length < before;
      }
      if (status >= 400 && status < 500 && status !== 404 && status !== 401) {
        const detail = JSON.stringify(body)?.slice(0, 300) ?? '';
        this.warn(`the controller refused batch ${batch.sequence} of run ${batch.runId}: HTTP ${status} ${detail}`);
      }
      return false;
    } catch (error) {
      if (error instanceof ControllerUnreachable || signal.aborted) return false;
      throw error;
    }
  }

  private remove(isRemoved: (batch: QueuedBatch) => boolean): void {
    this.batches = this.batches.filter((batch) => !isRemoved(batch));
    this.bytes = this.batches.reduce((sum, batch) => sum + batch.json.length, 0);
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
