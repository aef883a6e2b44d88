/**
 * Our own stack on the engine of the tests: its images, an environment with ports of its own, and what it says of
 * itself.
 */

import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';
import { z } from 'zod';
import { composeToSwarm, type StackSpec } from '../../../harness/platform/swarm/compose/compose-to-swarm.js';
import { engineAddress } from '../../../harness/platform/swarm/engine/address.js';
import { buildImages, type MadeImages } from '../../../harness/platform/swarm/images/build-images.js';
import type { OnImageProgress } from '../../../harness/platform/swarm/images/engine-images.js';
import { type StackEnvironment, stackEnvironment } from '../../../harness/platform/swarm/stack/stack-environment.js';
import { labelOf } from '../../../harness/platform/swarm/stack/stack-objects.js';
import { waitConverged } from '../../../harness/platform/swarm/stack/wait-converged.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import { withLock } from '../lock.js';
import { packageRoot } from '../package-root.js';
import { readFile } from './cases.js';
import { makeStandIns, WITHOUT_GRAFANA } from './stand-ins.js';
import { engine } from './swarm.js';

export function dockerOfTests(): Docker {
  return new Docker(engineAddress(process.env).options);
}

/**
 * Everything from Debian's packages and this build; quick when the engine has it. Of several test files that ask at the
 * same time one makes the images, and the others wait for it.
 */
export function offlineImages(onProgress: OnImageProgress = () => undefined): Promise<MadeImages> {
  return withLock('test-images', async () => {
    const docker = dockerOfTests();
    const signal = AbortSignal.timeout(240_000);
    const standIns = await makeStandIns(docker, signal, undefined, onProgress);
    const base = standIns.environment.NODE_IMAGE;
    const own = await buildImages({ docker, packageRoot, base, onProgress, signal });
    return {
      images: [...standIns.images, ...own.images],
      environment: { ...standIns.environment, ...own.environment, ...WITHOUT_GRAFANA },
    };
  });
}

export interface OwnStack extends StackEnvironment {
  readonly name: string;
  /** The stack file, and the one that publishes what the tests look at. */
  readonly files: readonly string[];
  readonly spec: StackSpec;
  readonly harnessUrl: string;
  readonly gatewayUrl: string;
  readonly streamUrl: string;
  readonly statisticsUrl: string;
  readonly prometheusUrl: string;
}

/** @param folder for tokens and rendered files */
export async function ownStack(name: string, folder: string, images: MadeImages): Promise<OwnStack> {
  const [harness, gateway, stream, statistics, prometheus, grafana, alertmanager] = await freePorts(7);
  const made = stackEnvironment({
    packageRoot,
    stack: name,
    stateFolder: folder,
    gateway: {},
    environment: {
      ...images.environment,
      HARNESS_PORT: `${harness}`,
      GATEWAY_PORT: `${gateway}`,
      GATEWAY_STREAM_PORT: `${stream}`,
      GATEWAY_STATS_PORT: `${statistics}`,
      PROMETHEUS_PORT: `${prometheus}`,
      GRAFANA_PORT: `${grafana}`,
      ALERTMANAGER_PORT: `${alertmanager}`,
      HEALTH_INTERVAL: '2s',
    },
  });
  const { stackFile, environment } = made;
  const files = [stackFile, join(packageRoot, 'swarm', 'stack.observe.yml')];
  const outcome = composeToSwarm({
    stack: name,
    files: files.map((file) => ({ file, text: readFileSync(file, 'utf8') })),
    folder: dirname(stackFile),
    environment,
    readFile,
  });
  if (outcome.kind === 'refused') throw new Error(formatProblems(outcome.problems, { withPath: true }));
  const at = (port: number | undefined): string => `http://127.0.0.1:${port}`;
  return {
    ...made,
    name,
    files,
    spec: outcome.stack,
    harnessUrl: at(harness),
    gatewayUrl: at(gateway),
    streamUrl: at(stream),
    statisticsUrl: at(statistics),
    prometheusUrl: at(prometheus),
  };
}

/** @throws StackError with the tasks' own messages */
export async function untilRunning(stack: string): Promise<void> {
  const signal = AbortSignal.timeout(150_000);
  const services = await engine.services.labelled(labelOf(stack), signal);
  const awaited = services.map(({ ID, Spec, UpdateStatus }) => ({
    id: ID,
    name: Spec.Name,
    lastUpdate: UpdateStatus?.StartedAt,
  }));
  await waitConverged({ engine, name: stack }, awaited, { timeoutMs: 120_000 }, () => undefined, signal);
}

/** Chosen by the kernel; free a moment ago. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({ labels: z.record(z.string(), z.string()), health: z.string(), lastError: z.string() }),
    ),
  }),
});

interface ScrapeTarget {
  /** `service.slot`, as people know it; slot 0 for services that run once on every node. */
  readonly name: string;
  readonly health: string;
  readonly lastError: string;
}

export async function scrapeTargets({ prometheusUrl }: OwnStack): Promise<readonly ScrapeTarget[]> {
  const { data } = targets.parse(await getJsonFrom(`${prometheusUrl}/api/v1/targets`));
  return data.activeTargets
    .map(({ labels, health, lastError }) => ({
      name: `${labels.service}.${labels.slot ?? 0}`,
      health,
      lastError,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const vector = z.object({ data: z.object({ result: z.array(z.unknown()) }) });

/** How many series a query gives now. @throws Error with Prometheus' message when it refuses the query */
export async function seriesCount({ prometheusUrl }: OwnStack, query: string): Promise<number> {
  const { data } = vector.parse(await getJsonFrom(`${prometheusUrl}/api/v1/query?${new URLSearchParams({ query })}`));
  return data.result.length;
}

/** @throws Error with status and body when the answer is not good */
export async function getJsonFrom(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return JSON.parse(text);
}
