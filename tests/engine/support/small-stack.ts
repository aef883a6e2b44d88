/** Stacks of a few lines, deployed by our own deployer. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeToSwarm, type StackSpec } from '../../../harness/platform/swarm/compose/compose-to-swarm.js';
import type { Engine } from '../../../harness/platform/swarm/engine/engine.js';
import {
  type Deployed,
  type DeployOptions,
  type DeployProgress,
  deployStack,
} from '../../../harness/platform/swarm/stack/deploy-stack.js';
import { findStack, type StackObjects } from '../../../harness/platform/swarm/stack/stack-objects.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import { readFile } from '../../support/swarm/cases.js';
import { engine } from '../../support/swarm/swarm.js';
import { BOX } from './box-image.js';

/** As a compose file says it; JSON is YAML. */
export type Compose = Readonly<Record<string, unknown>>;

/**
 * A service that does nothing until it is told to end, and then ends at once. `deploy` on top of what every one needs.
 */
export function box(more: Compose = {}, deploy: Compose = {}): Compose {
  return {
    image: BOX,
    init: true,
    stop_grace_period: '1s',
    networks: ['net'],
    ...more,
    deploy: {
      endpoint_mode: 'dnsrr',
      restart_policy: { delay: '100ms' },
      update_config: { parallelism: 1, monitor: '300ms' },
      ...deploy,
    },
  };
}

export function compose(services: Compose, more: Compose = {}): Compose {
  return { version: '3.13', services, networks: { net: {} }, ...more };
}

/** Writes the file for the command line. @param folder of the files that it names, too */
export function composeFile(folder: string, content: Compose): string {
  const path = join(folder, 'stack.yml');
  writeFileSync(path, JSON.stringify(content, undefined, 2));
  return path;
}

/** @param folder where the files are that it names */
export function stackOf(stack: string, content: Compose, folder = '/'): StackSpec {
  const file = { file: 'stack.yml', text: JSON.stringify(content, undefined, 2) };
  const outcome = composeToSwarm({ stack, files: [file], folder, environment: {}, readFile });
  if (outcome.kind === 'stack') return outcome.stack;
  throw new Error(formatProblems(outcome.problems, { withPath: true }));
}

interface Deployment {
  readonly on?: Engine;
  readonly options?: Partial<DeployOptions>;
  readonly onProgress?: (progress: DeployProgress) => void;
  readonly signal?: AbortSignal;
}

/** With little patience: nothing here needs long to come up. */
export function deploy(
  stack: StackSpec,
  { on = engine, options = {}, onProgress = () => undefined, signal = new AbortController().signal }: Deployment = {},
): Promise<Deployed> {
  const quick = {
    contentNames: true,
    prune: true,
    pinImages: false,
    timeoutMs: 60_000,
    stableMs: 500,
    patience: { pendingMs: 1_500, endedMs: 1_000, failures: 2 },
  };
  return deployStack(on, stack, { ...quick, ...options }, onProgress, signal);
}

export function everything(stack: string): Promise<StackObjects> {
  return findStack({ engine, name: stack }, AbortSignal.timeout(10_000));
}

/** Ids of the running tasks, by short service name. */
export async function runningTasks(stack: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const { services, tasks } = await everything(stack);
  return Object.fromEntries(
    services.map(({ ID, Spec }) => {
      const own = tasks.filter(
        ({ ServiceID, Status, DesiredState }) =>
          ServiceID === ID && Status.State === 'running' && DesiredState === 'running',
      );
      return [Spec.Name.slice(stack.length + 1), own.map((task) => task.ID).sort()];
    }),
  );
}
