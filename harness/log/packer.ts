/** Compresses files that no longer change, in the background. */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';

const CHUNK_BYTES = 64 * 1024;
/**
 * It pauses for so many times as long as each chunk took: the load may share the machine, and must not be late because
 * of it.
 */
const PAUSES = 9;

export class Packer {
  private readonly waiting: string[] = [];
  private busy: Promise<void> | undefined;
  private hurry = false;

  /** From now on, `path` is replaced by `path.gz`. A file that cannot be compressed stays as it is. */
  add(path: string): void {
    this.waiting.push(path);
    this.busy ??= this.packAll();
  }

  /** Compresses the rest without pauses. */
  async end(): Promise<void> {
    this.hurry = true;
    await this.busy;
  }

  private async packAll(): Promise<void> {
    for (let path = this.waiting.shift(); path !== undefined; path = this.waiting.shift()) {
      try {
        await this.pack(path);
      } catch {
        await rm(`${path}.gz.part`, { force: true }).catch(() => undefined);
      }
    }
    this.busy = undefined;
  }

  private async pack(path: string): Promise<void> {
    const part = `${path}.gz.part`;
    const gzip = createGzip({ level: 3 });
    const out = createWriteStream(part, { mode: 0o644 });
    const written = once(out, 'finish');
    gzip.on('error', (error) => out.destroy(error));
    gzip.pipe(out);
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      const from = performance.now();
      if (!gzip.write(chunk)) await Promise.race([once(gzip, 'drain'), written]);
      if (!this.hurry && this.waiting.length === 0) await sleep(PAUSES * (performance.now() - from));
    }
    gzip.end();
    await written;
    await onDisk(part);
    await rename(part, `${path}.gz`);
    await rm(path);
  }
}

async function onDisk(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.datasync();
  await file.close();
}
