import { isDeepStrictEqual } from 'node:util';
import type { StackSpec } from '../compose/compose-to-swarm.js';
import { STACK_LABEL } from '../compose/stack-names.js';
import type { FileSpec, NetworkSpec } from '../compose/swarm-types.js';
import type { FileObject } from '../engine/answers.js';
import type { Engine, FileObjects } from '../engine/engine.js';
import { StackError } from './stack-error.js';
import type { OnChange } from './stack-objects.js';

/** Creates or updates the stack's own configs or secrets. Returns all ids by name, also those of `external` ones. */
export async function ensureFiles(
  objects: FileObjects,
  stack: string,
  own: readonly FileSpec[],
  external: ReadonlySet<string>,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const known = new Map((await objects.all(signal)).map((object) => [object.Spec.Name, object]));
  const ids = new Map<string, string>();
  for (const name of external) {
    const object = known.get(name);
    if (object === undefined)
      throw new StackError(
        'EXTERNAL_MISSING',
        `the external ${objects.kind} ${name} does not exist`,
        `docker ${objects.kind} create ${name} FILE`,
      );
    ids.set(name, object.ID);
  }
  for (const spec of own)
    ids.set(spec.Name, await ensureFile(objects, stack, spec, known.get(spec.Name), onChange, signal));
  return ids;
}

async function ensureFile(
  objects: FileObjects,
  stack: string,
  spec: FileSpec,
  existing: FileObject | undefined,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<string> {
  const { kind } = objects;
  if (existing === undefined) {
    const id = await objects.create(spec, signal);
    onChange({ kind, name: spec.Name, did: 'created' });
    return id;
  }
  if (existing.Spec.Labels[STACK_LABEL] !== stack) {
    throw new StackError(
      'NAME_NOT_OURS',
      `a ${kind} ${spec.Name} exists already and does not belong to the stack ${stack}`,
      `deploy under another name (--stack), or make it an external ${kind}`,
    );
  }
  const sameLabels = isDeepStrictEqual(existing.Spec.Labels, { ...spec.Labels });
  // The engine never returns the content of a secret: it compares by itself, and refuses.
  if (kind === 'config' && existing.Spec.Data !== spec.Data) throw contentChanged(kind, spec.Name);
  if (kind === 'config' && sameLabels) {
    onChange({ kind, name: spec.Name, did: 'unchanged' });
    return existing.ID;
  }
  try {
    await objects.update(existing, spec, signal);
  } catch (error) {
    if (error instanceof Error && /only updates to Labels are allowed/i.test(error.message))
      throw contentChanged(kind, spec.Name, error);
    throw error;
  }
  onChange({ kind, name: spec.Name, did: sameLabels ? 'unchanged' : 'updated' });
  return existing.ID;
}

function contentChanged(kind: string, name: string, cause?: unknown): StackError {
  return new StackError(
    'CONTENT_CHANGED',
    `${kind} ${name} exists with other content, and the content of a ${kind} cannot be changed`,
    `give it another \`name:\`, or none: its name then changes with its content`,
    [],
    cause,
  );
}

/** Creates networks that are missing, and leaves others as they are, like the Docker CLI. Returns all ids by name. */
export async function ensureNetworks(
  engine: Engine,
  stack: StackSpec,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const name of stack.externalNetworks) ids.set(name, await externalNetwork(engine, name, signal));
  for (const spec of stack.networks)
    ids.set(spec.Name, await ensureNetwork(engine, stack.name, spec, onChange, signal));
  return ids;
}

async function externalNetwork(engine: Engine, name: string, signal: AbortSignal): Promise<string> {
  const network = await engine.networks.find(name, signal);
  if (network?.Scope === 'swarm') return network.Id;
  const message =
    network === undefined
      ? `the external network ${name} does not exist`
      : `the external network ${name} exists on one node only, so services cannot use it`;
  throw new StackError('EXTERNAL_MISSING', message, `docker network create --driver overlay ${name}`);
}

async function ensureNetwork(
  engine: Engine,
  stack: string,
  spec: NetworkSpec,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<string> {
  const existing = await engine.networks.find(spec.Name, signal);
  if (existing === undefined) {
    const id = await engine.networks.create(spec, signal);
    onChange({ kind: 'network', name: spec.Name, did: 'created' });
    return id;
  }
  if (existing.Labels[STACK_LABEL] !== stack) {
    throw new StackError(
      'NAME_NOT_OURS',
      `a network ${spec.Name} exists already and does not belong to the stack ${stack}`,
      'deploy under another name (--stack), or make it an external network',
    );
  }
  onChange({ kind: 'network', name: spec.Name, did: 'unchanged' });
  return existing.Id;
}
