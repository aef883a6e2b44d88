/** A small image to run anything in: busybox, from Debian's package where there is one, else from its registry. */
import { execFile, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { engine } from '../../support/swarm/swarm.js';

export const BOX = 'swarmbench-test/box:1';
/** The same under another name: to a service, another image. */
export const OTHER_BOX = 'swarmbench-test/box:2';

const run = promisify(execFile);
const applets = ['sh', 'sleep', 'echo', 'cat', 'true', 'false', 'nc', 'wget', 'httpd', 'id'];
const pulled = 'busybox:1.36';

/** Stays on the engine for the next time: 2 MB. */
export async function makeBox(): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  if ((await engine.images.find(BOX, signal)) === undefined) await importBox().catch(pullBox);
  await engine.docker.getImage(BOX).tag(named(OTHER_BOX));
}

async function importBox(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-box-'));
  try {
    await run('apt-get', ['download', 'busybox-static'], { cwd: folder });
    await run('sh', ['-c', 'dpkg-deb -x busybox-static_*.deb unpacked'], { cwd: folder });
    const bin = join(folder, 'root', 'bin');
    mkdirSync(bin, { recursive: true });
    copyFileSync(join(folder, 'unpacked', 'bin', 'busybox'), join(bin, 'busybox'));
    for (const applet of applets) symlinkSync('busybox', join(bin, applet));
    const tar = spawn('tar', ['-C', join(folder, 'root'), '-c', '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
    await finished(
      await engine.docker.importImage(tar.stdout, {
        ...named(BOX),
        changes: ['ENV PATH=/bin', 'CMD ["sleep","1000000"]'],
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function pullBox(): Promise<void> {
  await finished(await engine.docker.pull(pulled));
  await engine.docker.getImage(pulled).tag(named(BOX));
}

function named(reference: string): { readonly repo: string; readonly tag: string } {
  const [repo = '', tag = ''] = reference.split(':');
  return { repo, tag };
}

function finished(stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    engine.docker.modem.followProgress(stream, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}
