/** Configs and secrets: the objects, and what a service uses of them. Ids are filled in when the objects exist. */

import type { Position } from '../../../../../scenarios/yaml/problem.js';
import { nonEmpty, omitEmpty } from '../go/omit-empty.js';
import type { ComposeFileObject, ComposeReference, ComposeService } from '../model.js';
import type { ConfigReference, FileSpec, FileTarget, SecretReference } from '../swarm-types.js';
import { type ConvertContext, scoped, withStack } from './context.js';

type Kind = 'configs' | 'secrets';

/** All of them, used or not, but for external ones. */
export function convertFileObjects(kind: Kind, context: ConvertContext): readonly FileSpec[] {
  return [...context.model[kind]].flatMap(([key, object]) =>
    object.external ? [] : [convertFileObject(kind, key, object, context)],
  );
}

function convertFileObject(kind: Kind, key: string, object: ComposeFileObject, context: ConvertContext): FileSpec {
  const common = { Name: object.name ?? scoped(context.stack, key), Labels: withStack(context.stack, object.labels) };
  checkObjectName(common.Name, `${kind}.${key}`, object, context);
  const options = omitEmpty<Pick<FileSpec, 'Driver' | 'Templating'>>({
    Driver:
      object.driver === undefined
        ? undefined
        : omitEmpty({ Name: object.driver, Options: nonEmpty(object.driverOpts) }),
    Templating: object.templateDriver === undefined ? undefined : { Name: object.templateDriver },
  });
  return { ...common, ...objectData(kind, key, object, context), ...options };
}

function objectData(
  kind: Kind,
  key: string,
  object: ComposeFileObject,
  { readFile, findings }: ConvertContext,
): Pick<FileSpec, 'Data'> {
  if (object.driver !== undefined) return {};
  const path = `${kind}.${key}`;
  if (object.file === undefined) {
    findings.refuse(
      object.at,
      'MISSING_KEY',
      path,
      'must have a `file`',
      'name a file, or write `external: true` for one that exists',
    );
    return {};
  }
  const content = readFile(object.file);
  if (content.kind === 'unreadable') {
    findings.refuse(object.at, 'FILE', path, `cannot read ${object.file}: ${content.reason}`);
    return {};
  }
  const size = content.bytes.byteLength;
  if (size === 0)
    findings.refuse(object.at, 'FILE', path, `${object.file} is empty, and the engine keeps no empty ${kind}`);
  if (size >= MAX_BYTES[kind])
    findings.refuse(
      object.at,
      'FILE',
      path,
      `${object.file} has ${size} bytes, and ${kind} must have less than ${MAX_BYTES[kind]}`,
    );
  return { Data: Buffer.from(content.bytes).toString('base64') };
}

/** Limits of the engine. */
const MAX_BYTES: Readonly<Record<Kind, number>> = { configs: 1_024_000, secrets: 512_000 };

function checkObjectName(name: string, path: string, object: ComposeFileObject, { findings }: ConvertContext): void {
  if (name.length <= 64 && /^[a-z0-9]+([a-z0-9_.-]*[a-z0-9])?$/i.test(name)) return;
  findings.refuse(
    object.at,
    'INVALID_VALUE',
    path,
    `"${name}" cannot be its name`,
    'up to 64 letters, digits, "-", "_" and ".", with a letter or digit at both ends',
  );
}

export function convertSecretReferences(service: ComposeService, context: ConvertContext): readonly SecretReference[] {
  const references = mounted('secrets', service, context).map(({ name, file }) => ({
    File: file,
    SecretID: '',
    SecretName: name,
  }));
  return sorted(references, (reference) => reference.SecretName);
}

/** A config that a credential specification names is referred to as well, but not mounted. */
export function convertConfigReferences(service: ComposeService, context: ConvertContext): readonly ConfigReference[] {
  const references: ConfigReference[] = mounted('configs', service, context).map(({ name, file }) => ({
    File: file,
    ConfigID: '',
    ConfigName: name,
  }));
  const key = service.credentialSpec?.config;
  if (service.credentialSpec !== undefined && key !== undefined) {
    const name = nameOf('configs', key, service, service.credentialSpec.at, 'credential_spec', context);
    references.push({ Runtime: {}, ConfigID: '', ConfigName: name });
  }
  return sorted(references, (reference) => reference.ConfigName);
}

function mounted(
  kind: Kind,
  service: ComposeService,
  context: ConvertContext,
): readonly { readonly name: string; readonly file: FileTarget }[] {
  const targets = new Set<string>();
  return (service[kind] ?? []).map((reference) => {
    const file = fileTarget(reference);
    if (targets.has(file.Name)) {
      context.findings.refuse(
        reference.at,
        'CONFLICT',
        `services.${service.name}.${kind}`,
        `another one is already mounted at "${file.Name}"`,
        'give it a `target` of its own',
      );
    }
    targets.add(file.Name);
    return { name: nameOf(kind, reference.source, service, reference.at, kind, context), file };
  });
}

function fileTarget({ source, target, uid, gid, mode }: ComposeReference): FileTarget {
  return { Name: target ?? source, UID: uid ?? '0', GID: gid ?? '0', Mode: mode ?? 0o444 };
}

function nameOf(
  kind: Kind,
  key: string,
  service: ComposeService,
  at: Position,
  where: string,
  { model, stack, findings }: ConvertContext,
): string {
  const object = model[kind].get(key);
  if (object === undefined) {
    const known = [...model[kind].keys()];
    const hint =
      known.length === 0 ? `add it: ${kind}: { ${key}: { file: ... } }` : `the ${kind} are ${known.join(', ')}`;
    findings.refuse(
      at,
      'UNDEFINED',
      `services.${service.name}.${where}`,
      `the ${kind.slice(0, -1)} "${key}" is not defined`,
      hint,
    );
  }
  return object?.name ?? scoped(stack, key);
}

/** By name, so that another order in the file is no change. */
function sorted<T>(references: readonly T[], nameOf: (reference: T) => string): readonly T[] {
  return references.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
}
