/** Whatever ends a change of a stack, the error says what is there now and how to be rid of it. */
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import { StackError } from './stack-error.js';
import { findStack, namesOf } from './stack-objects.js';

/** For one more look at an engine that may be the reason why we are here. */
const LOOK_MS = 5_000;

/**
 * @param doing `deploying`
 * @param made what is known to be there in case the engine no longer answers
 */
export async function namingWhatIsLeft<Result>(
  engine: Engine,
  stack: string,
  doing: string,
  made: () => readonly string[],
  signal: AbortSignal,
  act: () => Promise<Result>,
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    const left = await leftNow(engine, stack).catch(() => made());
    throw withLeft(error, left, `${doing} ${stack}`, stack, signal);
  }
}

async function leftNow(engine: Engine, stack: string): Promise<readonly string[]> {
  return namesOf(await findStack(engine, stack, AbortSignal.timeout(LOOK_MS)));
}

function withLeft(error: unknown, left: readonly string[], doing: string, stack: string, signal: AbortSignal): unknown {
  if (signal.aborted) {
    const hint =
      left.length === 0
        ? undefined
        : `\`swarmbench down --stack ${stack}\` removes them; the same command again goes on`;
    return new StackError('INTERRUPTED', `interrupted while ${doing}`, hint, left, error);
  }
  if (error instanceof StackError) return new StackError(error.code, error.message, error.hint, left, error.cause);
  if (error instanceof EngineError) return new StackError(error.code, error.message, error.hint, left, error);
  return error;
}
