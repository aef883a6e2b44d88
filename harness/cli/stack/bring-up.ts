/** Preflight and deployment of a stack, with progress: for `up`, and for a `run` whose stack does not run yet. */
import type { Engine } from '../../platform/swarm/engine/engine.js';
import { noRegistryAuth, registryAuthOf } from '../../platform/swarm/images/registry-auth.js';
import type { PreflightFinding } from '../../platform/swarm/preflight/finding.js';
import { preflight } from '../../platform/swarm/preflight/preflight.js';
import { type Deployed, type DeployProgress, deployStack } from '../../platform/swarm/stack/deploy-stack.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { type LoadedStack, trialImage } from './load-stack.js';
import type { ServicesDisplay } from './services-display.js';

interface BringUpOptions {
  readonly timeoutMs: number;
  /** Send the logins of `docker login` to the nodes. */
  readonly withRegistryAuth: boolean;
}

/** @throws CliError for problems that the preflight finds; StackError, EngineError, ImageError */
export async function bringUp(
  engine: Engine,
  { spec, warnings }: LoadedStack,
  { timeoutMs, withRegistryAuth }: BringUpOptions,
  display: ServicesDisplay,
  host: Host,
  signal: AbortSignal,
): Promise<Deployed> {
  const registryAuth = withRegistryAuth ? registryAuthOf(host.env) : noRegistryAuth;
  if (warnings !== '') display.note(`warning: ${warnings}`);
  display.doing('checking the engine, ports and images');
  refuseProblems(await preflight(engine, spec, { registryAuth, trialImage: trialImage(host) }, signal), display.note);
  display.doing('deploying');
  return await deployStack(
    engine,
    spec,
    { timeoutMs, contentNames: true, prune: true, pinImages: true, registryAuth },
    show(display),
    signal,
  );
}

function show(display: ServicesDisplay): (progress: DeployProgress) => void {
  return (progress) => {
    if (progress.kind === 'services') display.show(progress.services);
    else if (progress.change.did !== 'unchanged')
      display.note(`${progress.change.did} ${progress.change.kind} ${progress.change.name}`);
  };
}

/** Prints warnings. @throws CliError exit code 3 with all problems */
function refuseProblems(findings: readonly PreflightFinding[], print: (line: string) => void): void {
  for (const { message, hint } of findings.filter(({ level }) => level === 'warning'))
    print(`warning: ${withHint(message, hint)}`);
  const [first, ...others] = findings.filter(({ level }) => level === 'problem');
  if (first === undefined) return;
  throw new CliError({
    code: first.code,
    message: first.message,
    where:
      others.length === 0
        ? undefined
        : others.map(({ message, hint }) => withHint(message, hint === first.hint ? undefined : hint)).join('\n  '),
    hint: first.hint,
    exitCode: exitCode.unreachable,
  });
}

function withHint(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${message} (${hint})`;
}
