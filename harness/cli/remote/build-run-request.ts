/** A scenario with everything that the command line adds to it, as a harness elsewhere takes it. */
import { basename, dirname, join } from 'node:path';
import { listScenarios } from '../../../scenarios/schema/list-scenarios.js';
import { type Plan, targetsOf } from '../../../scenarios/schema/plan.js';
import { diskIo } from '../../../scenarios/schema/scenario-io.js';
import type { RunRequest } from '../../api/run-request.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import { type LoadOptions, withTools } from '../options/load-options.js';

interface RunDetails {
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: as many as the plan needs. */
  readonly workers: number | undefined;
}

/**
 * Sends the texts of the files and not their names: the harness may have other versions of them, or none.
 * @param plan of this scenario; the variables in its target are filled in already
 * @throws CliError PLAN_REFUSED for a target that only this machine can start
 */
export function buildRunRequest(
  scenario: string,
  options: LoadOptions,
  plan: Plan,
  { command, labels, workers }: RunDetails,
): RunRequest {
  const file = fileOf(scenario);
  const { timeScale, seed, era, transport, set: sets } = withTools(options);
  return {
    scenario: `${diskIo.readText(file) ?? ''}\n`,
    profiles: profilesBeside(file),
    sets: [...sets],
    command,
    labels: { ...labels },
    ...(timeScale === undefined ? {} : { timeScale }),
    ...(seed === undefined ? {} : { seed }),
    ...(era === undefined ? {} : { era }),
    ...(transport === undefined ? {} : { transport }),
    ...(workers === undefined ? {} : { workers }),
    ...targetOf(plan),
  };
}

function fileOf(scenario: string): string {
  if (/[/\\]|\.ya?ml$/.test(scenario)) return scenario;
  return listScenarios().find(({ name }) => name === scenario)?.file ?? scenario;
}

function profilesBeside(file: string): Record<string, string> {
  const folder = join(dirname(file), 'profiles');
  const files = diskIo.list(folder).filter((name) => name.endsWith('.yaml'));
  return Object.fromEntries(files.map((name) => [basename(name, '.yaml'), diskIo.readText(join(folder, name)) ?? '']));
}

function targetOf(plan: Plan): Pick<RunRequest, 'targets' | 'arms' | 'headers' | 'tls' | 'tokens'> {
  if (targetsOf(plan).some(({ kind }) => kind === 'command')) {
    throw new CliError({
      code: 'PLAN_REFUSED',
      message: 'target.server.command: only this machine can start the command, not a harness elsewhere',
      hint: 'run it without --controller',
      exitCode: exitCode.usage,
    });
  }
  const urlTargets = targetsOf(plan).flatMap((target) => (target.kind === 'url' ? [target] : []));
  const [first] = urlTargets;
  if (first === undefined) return {};
  const { tls, tokens } = first;
  // Those of one arm alone stand in the text of the scenario.
  const shared = Object.entries(first.headers).filter(([name, value]) =>
    urlTargets.every(({ headers }) => headers[name] === value),
  );
  return {
    ...(plan.arms === undefined ? { targets: [...first.urls] } : { arms: armsOf(plan.arms) }),
    headers: shared.map(([name, value]) => `${name}: ${value}`),
    ...(tls === undefined ? {} : { tls }),
    ...(tokens === undefined ? {} : { tokens: [...tokens] }),
  };
}

function armsOf(arms: NonNullable<Plan['arms']>): NonNullable<RunRequest['arms']> {
  return arms.flatMap(({ name, target }) => (target.kind === 'url' ? target.urls.map((url) => ({ name, url })) : []));
}
