/** Our own deployer and remover, as the parity tests need them. */
import type { StackSpec } from '../../../harness/platform/swarm/compose/compose-to-swarm.js';
import { deployStack } from '../../../harness/platform/swarm/stack/deploy-stack.js';
import { removeStack as remove } from '../../../harness/platform/swarm/stack/remove-stack.js';
import { StackError } from '../../../harness/platform/swarm/stack/stack-error.js';
import type { Change } from '../../../harness/platform/swarm/stack/stack-objects.js';
import { engine } from './swarm.js';

/** Waits until all objects are made, not until they run. @returns what was done @throws what the deployer throws */
export async function createStack(stack: StackSpec): Promise<readonly Change[]> {
  const made = new AbortController();
  const changes: Change[] = [];
  const options = { contentNames: false, prune: false, pinImages: false, timeoutMs: 10_000, stableMs: 0 };
  try {
    await deployStack(
      engine,
      stack,
      options,
      (progress) => (progress.kind === 'change' ? changes.push(progress.change) : made.abort()),
      made.signal,
    );
  } catch (error) {
    if (!(error instanceof StackError && error.code === 'INTERRUPTED')) throw error;
  }
  return changes;
}

export async function removeStack(stack: string): Promise<void> {
  await remove(
    { engine, name: stack },
    { volumes: true, timeoutMs: 120_000 },
    () => undefined,
    AbortSignal.timeout(150_000),
  );
}
