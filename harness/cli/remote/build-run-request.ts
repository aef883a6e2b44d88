/** A scenario with everything that the command line says about it, as a harness elsewhere takes it. */
import { basename, dirname, join } from 'node:path';
import { listScenarios } from '../../../scenarios/schema/list-scenarios.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { diskIo } from '../../../scenarios/schema/scenario-io.js';
import type { RunRequest } from '../../api/run-request.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { LoadOptions } from '../load-options.js';

export interface HowToRun {
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: what the plan needs. */
  readonly workers: number | undefined;
}

/**
 * The texts travel, not the names: the harness may have other versions of these files, or none.
 * @param plan what the scenario is here; its target's variables are filled in already
 */
export function buildRunRequest(
  scenario: string,
  options: LoadOptions,
  plan: Plan,
  { command, labels, workers }: HowToRun,
): RunRequest {
  const file = /[/\\]|\.ya?ml$/.test(scenario)
    ? scenario
    : (listScenarios().find(({ name }) => name === scenario)?.file ?? scenario);
  const { timeScale, seed, era, set: sets } = options;
  return {
    scenario: `${diskIo.readText(file) ?? ''}\n`,
    profiles: profilesBeside(file),
    sets: [...sets],
    command,
    labels: { ...labels },
    ...(timeScale === undefined ? {} : { timeScale }),
    ...(seed === undefined ? {} : { seed }),
    ...(era === undefined ? {} : { era }),
    ...(workers === undefined ? {} : { workers }),
    ...targetOf(plan),
  };
}

function profilesBeside(file: string): Record<string, string> {
  const folder = join(dirname(file), 'profiles');
  const files = diskIo.list(folder).filter((name) => name.endsWith('.yaml'));
  return Object.fromEntries(files.map((name) => [basename(name, '.yaml'), diskIo.readText(join(folder, name)) ?? '']));
}

function targetOf({ target }: Plan): Pick<RunRequest, 'targets' | 'headers' | 'tls' | 'tokens'> {
  if (target.kind === 'command') {
    throw new CliError({
      code: 'PLAN_REFUSED',
      message: 'target.server.command: a command is started on this machine only, not by a harness elsewhere',
      hint: 'leave --controller out',
      exitCode: exitCode.usage,
    });
  }
  if (target.kind !== 'url') return {};
  const { tls, tokens } = target;
  return {
    targets: [...target.urls],
    headers: Object.entries(target.headers).map(([name, value]) => `${name}: ${value}`),
    ...(tls === undefined ? {} : { tls }),
    ...(tokens === undefined ? {} : { tokens: [...tokens] }),
  };
}
