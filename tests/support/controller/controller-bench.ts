import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, type ApiOptions, startApi } from '../../../harness/api/start-api.js';
import { Controller, type ControllerOptions } from '../../../harness/controller/controller.js';
import type { Timings } from '../../../harness/controller/timings.js';
import { FakePlatform } from './fake-platform.js';

/** Fast enough for tests, slow enough for a busy machine. */
export const quickTimings: Partial<Timings> = {
  heartbeatMs: 500,
  leaseMs: 3000,
  registerMs: 15_000,
  startDelayMs: 600,
  noticeMs: 200,
  lastBatchesMs: 2000,
  stopNowMs: 2000,
  tickMs: 200,
};

/** A controller with its API on loopback and fake workers, in its own results folder. */
export class ControllerBench {
  readonly resultsFolder = mkdtempSync(join(tmpdir(), 'swarmbench-controller-'));
  readonly platform = new FakePlatform();
  readonly reported: string[] = [];
  readonly controller: Controller;
  private _api: Api | undefined;

  constructor(options: Partial<ControllerOptions> = {}) {
    this.controller = new Controller({
      resultsFolder: this.resultsFolder,
      platform: () => this.platform,
      writeReport: async (folder) => {
        // The real one takes a while, too.
        await sleep(300);
        writeFileSync(join(folder, 'report.json'), '{}');
        this.reported.push(folder);
      },
      version: 'test',
      timings: quickTimings,
      ...options,
    });
  }

  async start(options: Partial<ApiOptions> = {}): Promise<this> {
    this._api = await startApi(this.controller, { host: '127.0.0.1', port: 0, version: 'test', ...options });
    return this;
  }

  get api(): Api {
    if (this._api === undefined) throw new Error('the bench was not started');
    return this._api;
  }

  async stop(): Promise<void> {
    await this.controller.destroy();
    await this._api?.close(100);
    rmSync(this.resultsFolder, { recursive: true, force: true });
  }
}
