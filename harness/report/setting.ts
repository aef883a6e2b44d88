/** What two runs must have in common to be compared: the load, the target and the environment, without what jitters. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** A fact with its name, for people and for comparison. */
export type Fact = readonly [name: string, value: string];

/** The parts of a report that it reads. */
export interface SettingSource {
  readonly run: { readonly scenario: string };
  readonly environment: Readonly<Record<string, unknown>>;
  readonly plan: Readonly<Record<string, unknown>>;
  readonly workers?: readonly unknown[] | undefined;
}

export interface Setting {
  /** Scenario, load and target: what was asked for. */
  readonly load: readonly Fact[];
  /** Where it ran. */
  readonly environment: readonly Fact[];
  /** What may differ, because it is what is compared: the version of the server, the digest of its image. */
  readonly subject: readonly Fact[];
}

const GIB = 1024 ** 3;

/** Everything in it may be missing: a report may come from another version, or be of a run that never began. */
const known = z.looseObject({
  platform: z.string().optional(),
  nodes: z
    .array(
      z.looseObject({
        os: z.string().optional(),
        kernel: z.string().optional(),
        engine: z.string().optional(),
        arch: z.string().optional(),
        cpuModel: z.string().optional(),
        cores: z.number().optional(),
        usableCores: z.number().optional(),
        memoryBytes: z.number().optional(),
        availability: z.string().optional(),
      }),
    )
    .optional(),
  limits: z.looseObject({ cgroup: z.looseObject({ cores: z.number().optional() }).optional() }).optional(),
  images: z.record(z.string(), z.string()).optional(),
  protocol: z.looseObject({ era: z.string().optional(), version: z.string().optional() }).optional(),
  server: z.looseObject({ name: z.string().optional(), version: z.string().optional() }).optional(),
  scenario: z.looseObject({ configHash: z.string().optional() }).optional(),
  versions: z.looseObject({ swarmbench: z.string().optional(), node: z.string().optional() }).optional(),
});

const target = z.looseObject({
  kind: z.string().optional(),
  replicas: z.number().optional(),
  sticky: z.string().optional(),
  urls: z.array(z.string()).optional(),
  image: z.string().optional(),
  path: z.string().optional(),
  server: z.looseObject({ command: z.array(z.string()).optional() }).optional(),
});

/** The service of the stack that is under load: its image is what is compared. */
const TARGET_SERVICE = 'mcp-server';

export function settingOf({ run, environment, plan, workers }: SettingSource): Setting {
  const parsed = known.safeParse(environment);
  const env = parsed.success ? parsed.data : {};
  const of = target.safeParse(plan.target);
  const server = of.success ? of.data : {};
  return {
    load: facts({
      scenario: run.scenario,
      'load (hash)': env.scenario?.configHash,
      target: server.kind,
      replicas: server.replicas,
      stickiness: server.sticky,
      url: server.urls?.map(placeOf).join(', '),
      image: server.image?.replace(/(?:@sha256:[0-9a-f]+|:[\w.-]+)$/, ''),
      command: server.server?.command?.join(' '),
      era: env.protocol?.era,
      'protocol version': env.protocol?.version,
    }),
    environment: facts({
      platform: env.platform,
      workers: workers?.length,
      'cores allowed': env.limits?.cgroup?.cores,
      node:
        env.versions?.node === undefined ? undefined : `v${env.versions.node.replace(/^v/, '').split('.')[0] ?? ''}`,
      ...Object.fromEntries(
        (env.nodes ?? []).map((node, at) => [
          `machine ${at + 1}`,
          [
            node.cpuModel,
            node.arch,
            node.cores === undefined ? undefined : `${node.cores} cores`,
            node.usableCores === undefined ? undefined : `${node.usableCores} usable`,
            node.memoryBytes === undefined ? undefined : memoryClass(node.memoryBytes),
            node.os,
            node.engine === undefined ? undefined : `engine ${node.engine}`,
          ]
            .filter((part) => part !== undefined)
            .join(', '),
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(env.images ?? {})
          .filter(([service]) => service !== TARGET_SERVICE)
          .map(([service, image]) => [`image of ${service}`, image]),
      ),
    }),
    subject: facts({
      server: env.server === undefined ? undefined : `${env.server.name ?? ''} ${env.server.version ?? ''}`.trim(),
      image: env.images?.[TARGET_SERVICE] ?? server.image,
      swarmbench: env.versions?.swarmbench,
    }),
  };
}

/** One text for the same load in the same environment. */
export function fingerprintOf({ load, environment }: Setting): string {
  return createHash('sha256')
    .update(JSON.stringify([load, environment]))
    .digest('hex')
    .slice(0, 16);
}

/** The facts in which two settings differ, in words. */
export function differencesOf(base: readonly Fact[], changed: readonly Fact[]): readonly string[] {
  const [before, after] = [new Map(base), new Map(changed)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [from, to] = [before.get(name), after.get(name)];
    return from === to ? [] : [`${name}: ${from ?? 'unknown'}, then ${to ?? 'unknown'}`];
  });
}

function facts(all: Readonly<Record<string, string | number | undefined>>): readonly Fact[] {
  return Object.entries(all).flatMap(([name, value]): Fact[] =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
}

/** A server on this machine may listen at another port each time. */
function placeOf(text: string): string {
  if (!URL.canParse(text)) return text;
  const { protocol, hostname, host, pathname } = new URL(text);
  const isOwn = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return `${protocol}//${isOwn ? 'localhost' : host}${pathname}`;
}

/** Whole GiB: kernels of one machine leave out a few MiB more or less. */
function memoryClass(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / GIB))} GiB`;
}
