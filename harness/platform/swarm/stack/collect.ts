import type { StackSpec } from '../compose/compose-to-swarm.js';
import type { Engine } from '../engine/engine.js';
import { isEngineError } from '../engine/engine-error.js';
import type { TellChange } from './change.js';
import { labelOf } from './stack-objects.js';

/** Services of the stack that the files do not name. */
export async function removeUnlisted(
  engine: Engine,
  stack: StackSpec,
  tell: TellChange,
  signal: AbortSignal,
): Promise<void> {
  const listed = new Set(stack.services.map(({ Name }) => Name));
  for (const { ID, Spec } of await engine.services.labelled(labelOf(stack.name), signal)) {
    if (listed.has(Spec.Name)) continue;
    await engine.services.remove(ID, signal);
    tell({ kind: 'service', name: Spec.Name, did: 'removed' });
  }
}

/** Configs and secrets of the stack that the files do not name, except those that a service still uses. */
export async function collectOld(
  engine: Engine,
  stack: StackSpec,
  tell: TellChange,
  signal: AbortSignal,
): Promise<void> {
  const listed = new Set([...stack.configs, ...stack.secrets].map(({ Name }) => Name));
  for (const objects of [engine.configs, engine.secrets]) {
    for (const { ID, Spec } of await objects.labelled(labelOf(stack.name), signal)) {
      if (listed.has(Spec.Name)) continue;
      try {
        await objects.remove(ID, signal);
        tell({ kind: objects.kind, name: Spec.Name, did: 'removed' });
      } catch (error) {
        // The engine keeps what the present or the previous spec of a service needs; the next deployment finds it
        // again.
        if (!isEngineError(error, 'OBJECT_IN_USE')) throw error;
      }
    }
  }
}
