import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { NodeFaults, TOOLS_IMAGE } from '../../agent/node-faults.js';
import { type HealedFault, type HealedRun, healRun } from '../../controller/adopt/heal.js';
import { isRunId } from '../../log/run-id.js';
import { createLocalInjector } from '../../platform/local/faults/injector.js';
import type { FaultInjector } from '../../platform/platform.js';
import type { Engine } from '../../platform/swarm/engine/engine.js';
import { createInjector } from '../../platform/swarm/faults/injector.js';
import type { Agents, NodeAgent } from '../../platform/swarm/faults/node-agents.js';
import { CliError } from '../cli-error.js';
import { DEFAULT_STACK, RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { withEngine } from '../stack/with-engine.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly all?: true;
  readonly on: 'local' | 'swarm';
  readonly stack: string;
  readonly out: string;
  readonly json?: boolean;
}

export const heal: CliCommand = {
  examples: [
    'swarmbench heal                                all runs of the results folder',
    'swarmbench heal 20261120-211402-service-x7k2',
    'swarmbench heal --all --on swarm               also what is found on the swarm without a journal',
  ],
  declare(command, host, finish) {
    command
      .argument('[run]', 'run id, or the folder of a run')
      .option('--all', 'all runs, and everything of ours that is found without a journal')
      .addOption(
        new Option('--on <platform>', 'where the faults were made').choices(['local', 'swarm']).default('local'),
      )
      .option('--stack <name>', 'with --on swarm: name of the stack', DEFAULT_STACK)
      .option('--out <folder>', 'folder with the results of runs', RESULTS_FOLDER)
      .option('--json', 'print one JSON object on stdout')
      .action(async (run: string | undefined, options: Options) => {
        if (run !== undefined && options.all === true)
          throw new CliError({
            code: 'USAGE',
            message: 'a run and --all do not go together',
            hint: 'swarmbench heal RUN heals one run, swarmbench heal --all everything',
          });
        const healing = (injector: FaultInjector, signal: AbortSignal): Promise<number> =>
          healAll(injector, run, options, host, signal);
        const { stack: name, json = false } = options;
        if (options.on === 'swarm')
          return finish(
            await withEngine(host, { json }, (engine, signal) =>
              healing(
                createInjector({ engine, name, agents: onThisEngine(engine, name, host), isInside: false }),
                signal,
              ),
            ),
          );
        finish(await healing(createLocalInjector(host.processes, new Map()), new AbortController().signal));
      });
  },
};

/**
 * The faults on the node of this engine, which this can reach without the stack's networks. On other nodes the agents
 * end those that nobody renews.
 */
function onThisEngine(engine: Engine, stack: string, { env, stderr }: Host): Agents {
  const log = (line: string): void => stderr.write(`${line}\n`);
  const faults = new NodeFaults({ docker: engine.docker, stack, toolsImage: env.NETTOOLS_IMAGE ?? TOOLS_IMAGE, log });
  const here: NodeAgent = {
    order: (order) => faults.apply(order),
    renew: (name) => faults.renew(name),
    undo: (name) => faults.undo(name),
    states: () => faults.states(),
    look: (container) => faults.look(container),
  };
  return {
    on: async () => here,
    all: async (signal) => new Map([[(await engine.info(signal)).Swarm.NodeID, here]]),
  };
}

async function healAll(
  injector: FaultInjector,
  run: string | undefined,
  options: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const runs: HealedRun[] = [];
  for (const folder of await foldersOf(run, options, host)) runs.push(await healRun(folder, injector));
  const swept = options.all === true ? ((await injector.sweep?.(undefined, signal)) ?? []) : [];
  const faults = runs.flatMap((one) => (one.kind === 'healed' ? one.faults : []));
  const on = runs.flatMap((one) => (one.kind === 'on' ? [one.runId] : []));
  if (options.json === true) host.stdout.write(`${JSON.stringify({ faults, swept, on }, undefined, 2)}\n`);
  else host.stdout.write(`${[...faults.map(textOf), ...swept, ...on.map(onText)].join('\n') || 'nothing to undo'}\n`);
  return faults.some(({ left }) => left.length > 0) || on.length > 0 ? exitCode.untrusted : exitCode.passed;
}

function textOf({ runId, faultId, kind, target, left, evidence }: HealedFault): string {
  const what = `${runId}: fault ${faultId} (${kind}: ${target})`;
  if (left.length === 0) return `${what} is undone${evidence === undefined ? '' : `: ${evidence}`}`;
  return left.map((one) => `${what} is not undone: ${one.what}\n  mend: ${one.mend}`).join('\n');
}

function onText(runId: string): string {
  return `${runId} is on, and undoes its faults itself; to end them now: POST /faults/halt, or stop the run`;
}

/** @throws CliError RUN_NOT_FOUND */
async function foldersOf(run: string | undefined, { out }: Options, host: Host): Promise<readonly string[]> {
  const results = resolve(host.cwd, out);
  if (run === undefined) {
    const names = await readdir(results).catch(() => []);
    return names
      .filter(isRunId)
      .toSorted()
      .map((name) => join(results, name))
      .filter(hasLog);
  }
  const candidates = [join(results, run), resolve(host.cwd, run)];
  const found = candidates.find(hasLog);
  if (found !== undefined) return [found];
  throw new CliError({
    code: 'RUN_NOT_FOUND',
    message: `there is no run ${run}`,
    where: `there is no events.jsonl in ${candidates.join(' or ')}`,
    hint: 'use --out to name the folder that holds the results of runs',
  });
}

function hasLog(folder: string): boolean {
  return existsSync(join(folder, 'events.jsonl'));
}
