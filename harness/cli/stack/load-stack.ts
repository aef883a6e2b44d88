/** From the command line to the specs of a stack. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import type { Stickiness } from '../../../swarm/gateway/render-gateway.js';
import { composeToSwarm, type StackSpec } from '../../platform/swarm/compose/compose-to-swarm.js';
import { parseEnvFile } from '../../platform/swarm/compose/load/environment.js';
import type { FileContent } from '../../platform/swarm/compose/load/read.js';
import { stackEnvironment } from '../../platform/swarm/stack/stack-environment.js';
import { messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import type { Host } from '../host.js';
import { packageRoot } from '../package-root.js';
import { imagesFile, readIfThere, stateFolder } from './state-folder.js';

interface StackRequest {
  readonly stack: string;
  /** Empty: the stack that comes with swarmbench. */
  readonly composeFile: readonly string[];
  readonly envFile: readonly string[];
  readonly sticky?: Stickiness;
  /** Add the file that publishes the pages without access control. */
  readonly observe?: boolean;
}

export interface LoadedStack {
  readonly spec: StackSpec;
  /** All of them, one or more lines each; empty without any. */
  readonly warnings: string;
}

/** @throws CliError exit code 2 with every problem, each at its file, line and column */
export function loadStack(request: StackRequest, host: Host): LoadedStack {
  const own = join(packageRoot(), 'swarm', 'stack.yml');
  const chosen = request.composeFile.length === 0 ? [own] : request.composeFile.map((file) => resolve(host.cwd, file));
  const paths = request.observe === true ? [...chosen, join(packageRoot(), 'swarm', 'stack.observe.yml')] : chosen;
  const given = givenEnvironment(request.envFile, host);
  const environment = paths.includes(own) ? ownEnvironment(request, given, host) : given;
  const outcome = composeToSwarm({
    stack: request.stack,
    files: paths.map((path, index) => ({ file: request.composeFile[index] ?? path, text: textOf(path) })),
    folder: dirname(paths[0] ?? own),
    environment,
    readFile,
  });
  if (outcome.kind === 'stack')
    return { spec: outcome.stack, warnings: formatProblems(outcome.warnings, { withPath: true }) };
  const { problems } = outcome;
  throw new CliError({
    code: 'STACK_REFUSED',
    message: `${paths.join(', ')}: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`}`,
    where: formatProblems(problems, { withPath: true }).replaceAll('\n', '\n  '),
  });
}

/** The image in which the kernel is tested, if NETTOOLS_IMAGE names one. */
export function trialImage(host: Host): string | undefined {
  return givenEnvironment([], host).NETTOOLS_IMAGE;
}

type Environment = Readonly<Record<string, string>>;

/** The variables of `images`, of the files in their order, and of the process; later ones override earlier ones. */
export function givenEnvironment(envFiles: readonly string[], host: Host): Environment {
  const set = Object.fromEntries(
    Object.entries(host.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  const images = readIfThere(imagesFile(host.cwd));
  const files = envFiles.map((file) => variablesOf(file, contentOf(resolve(host.cwd, file)), set));
  return {
    ...(images === undefined ? {} : variablesOf(imagesFile(host.cwd), images, set)),
    ...(Object.assign({}, ...files) as Environment),
    ...set,
  };
}

function variablesOf(file: string, bytes: Uint8Array, set: Environment): Environment {
  const parsed = parseEnvFile(bytes, (name) => set[name]);
  if (parsed.kind === 'variables') return Object.fromEntries(parsed.variables);
  throw new CliError({
    code: 'ENV_FILE',
    message: `${file}:${parsed.line} ${parsed.message}`,
    hint: 'write lines of NAME=value',
  });
}

/** Our own stack file needs tokens and a configuration of the gateway, which are created if missing. */
function ownEnvironment({ stack, sticky }: StackRequest, given: Environment, host: Host): Environment {
  const { environment } = stackEnvironment({
    packageRoot: packageRoot(),
    stack,
    stateFolder: join(stateFolder(host.cwd), stack),
    gateway: sticky === undefined ? {} : { sticky },
    environment: { ...given, STACK: stack },
  });
  return environment;
}

function textOf(path: string): string {
  return contentOf(path).toString();
}

function contentOf(path: string): Buffer {
  const content = readFile(path);
  if (content.kind === 'content') return Buffer.from(content.bytes);
  throw new CliError({ code: 'FILE', message: `cannot read ${path}: ${content.reason}` });
}

function readFile(path: string): FileContent {
  try {
    return { kind: 'content', bytes: readFileSync(path) };
  } catch (error) {
    return { kind: 'unreadable', reason: messageOf(error) };
  }
}
