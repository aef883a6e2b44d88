import type { Plan } from '../../../scenarios/schema/plan.js';
import { ControllerError, messageOf } from '../../log/errors.js';
import type { EventLog } from '../../log/event-log.js';
import type { Environment, Platform, StartedProgram } from '../../platform/platform.js';

export interface Deployment {
  readonly environment: Environment;
  readonly programs: readonly StartedProgram[];
}

interface DeployOptions {
  readonly runId: string;
  readonly runFolder: string;
  readonly controllerUrl: string;
  readonly workerToken: string | undefined;
  readonly workers: number | undefined;
}

/**
 * Brings up target and workers. @throws ControllerError PLAN_REFUSED; the platform's own errors as they are, others as
 * DEPLOY_FAILED
 */
export async function deploy(
  platform: Platform,
  plan: Plan,
  log: EventLog,
  options: DeployOptions,
  signal: AbortSignal,
): Promise<Deployment> {
  const refusals = platform.refusals(plan);
  if (refusals.length > 0) {
    throw new ControllerError(
      'PLAN_REFUSED',
      `the ${platform.name} platform cannot do this plan: ${refusals.join('; ')}`,
      'Change the scenario, or run it on another platform.',
    );
  }
  const programs: StartedProgram[] = [];
  const started = (program: StartedProgram): void => {
    programs.push(program);
    log.append({ type: 'program.started', program });
  };
  const environment = await platform.prepare(plan, { ...options, started }, signal).catch((error: unknown) => {
    throw isCoded(error)
      ? error
      : new ControllerError('DEPLOY_FAILED', `bringing up target and workers failed: ${messageOf(error)}`);
  });
  return { environment, programs };
}

/** Errors of ours and of platforms carry a stable code and a hint; Node's own carry a code but no hint. */
export function isCoded(error: unknown): error is Error & { readonly code: string; readonly hint: string | undefined } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'hint' in error;
}
