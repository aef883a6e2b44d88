import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from './package-root.js';

const { takeLock } = (await import(pathToFileURL(join(packageRoot, 'tools', 'lock.mjs')).href)) as {
  takeLock(path: string, onWait: () => void): Promise<() => void>;
};

/** Does `work` while no other process of this checkout does work under the same name. */
export async function withLock<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  const release = await takeLock(join(packageRoot, '.build', `${name}.lock`), () => undefined);
  try {
    return await work();
  } finally {
    release();
  }
}
