/**
 * Converts compose files into the objects of a Swarm, as `docker stack deploy` of docker/cli 28 does. What that command
 * refuses is refused here, with all problems and their places at once; what it silently ignores becomes a warning. Pure
 * except for `readFile`.
 */
import { sortProblems } from '../../../../scenarios/yaml/problem.js';
import { convertFileObjects } from './convert/file-objects.js';
import { convertNetworks, isUserDefined } from './convert/networks.js';
import { convertService } from './convert/service.js';
import { Findings, type Problem } from './findings.js';
import { type ComposeSource, loadFile } from './load/load-file.js';
import type { ReadFile } from './load/read.js';
import { mergeFiles } from './merge.js';
import type { ComposeModel } from './model.js';
import type { FileSpec, NetworkSpec, ServiceSpec } from './swarm-types.js';

export interface ComposeInput {
  readonly stack: string;
  /** One or more; later ones are merged onto earlier ones. */
  readonly files: readonly ComposeSource[];
  /** Absolute folder of the first file: relative paths of all files start there. */
  readonly folder: string;
  /** Values of `${NAME}` and of variables that have none in the file. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: ReadFile;
}

export type ComposeOutcome =
  | { readonly kind: 'stack'; readonly stack: StackSpec; readonly warnings: readonly Problem[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** The objects of a stack. References of services to secrets and configs have names and no ids yet. */
export interface StackSpec {
  readonly name: string;
  readonly networks: readonly NetworkSpec[];
  /** Networks that must exist already, as Swarm networks. */
  readonly externalNetworks: readonly string[];
  readonly secrets: readonly FileSpec[];
  readonly configs: readonly FileSpec[];
  readonly services: readonly ServiceSpec[];
}

export function composeToSwarm(input: ComposeInput): ComposeOutcome {
  const findings = new Findings();
  const stack = convert(input, findings);
  const warnings = sortProblems(findings.warnings, { withPath: true });
  if (stack === undefined || findings.refused)
    return { kind: 'refused', problems: sortProblems(findings.problems, { withPath: true }), warnings };
  return { kind: 'stack', stack, warnings };
}

function convert(input: ComposeInput, findings: Findings): StackSpec | undefined {
  const model = loadAll(input, findings);
  if (model === undefined || findings.refused) return undefined;
  const context = { stack: input.stack, model, readFile: input.readFile, findings };
  const { networks, external } = convertNetworks(context);
  return {
    name: input.stack,
    networks,
    externalNetworks: external.filter(isUserDefined),
    secrets: convertFileObjects('secrets', context),
    configs: convertFileObjects('configs', context),
    services: [...model.services.values()].map((service) => convertService(service, context)),
  };
}

function loadAll({ files, folder, environment, readFile }: ComposeInput, findings: Findings): ComposeModel | undefined {
  const lookup = (name: string): string | undefined =>
    Object.hasOwn(environment, name) ? environment[name] : undefined;
  const models = files.map((file) => loadFile(file, { folder, lookup, readFile, findings }));
  return models.reduce((base, override) => base && override && mergeFiles(base, override, findings));
}
