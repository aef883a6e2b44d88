import { takeLease, touchLease } from '../../log/run-folder.js';
import { thisProcess } from './programs.js';

const TOUCH_MS = 1000;

/** Takes the run for this process and keeps saying so, every second. Returns the way to stop saying so. */
export function holdLease(runFolder: string): () => void {
  takeLease(runFolder, thisProcess());
  const timer = setInterval(() => {
    try {
      touchLease(runFolder);
    } catch {
      // The folder was removed under us, or the disk is gone: the programs of the run will end by themselves.
    }
  }, TOUCH_MS);
  timer.unref();
  return () => clearInterval(timer);
}
