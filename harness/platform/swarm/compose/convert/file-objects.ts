/** Configs and secrets, and the references of services to them. Ids are filled in when the objects exist. */
import type { Position } from '../../../../../scenarios/yaml/problem.js';
import { nonEmpty, omitEmpty } from '../go/omit-empty.js';
import { compare } from '../go/text.js';
import type { ComposeFileObject, ComposeReference, ComposeService } from '../model.js';
import { scoped, withStack } from '../stack-names.js';
import type { ConfigReference, FileSpec, FileTarget, SecretReference } from '../swarm-types.js';
import { type ConvertContext, refuseUndefined } from './context.js';

type Kind = 'configs' | 'secrets';

/** All objects that are not external, even unused ones. */
export function convertFileObjects(kind: Kind, context: ConvertContext): readonly FileSpec[] {
  return [...context.model[kind]].flatMap(([key, object]) =>
    object.external ? [] : [convertFileObject(kind, key, object, context)],
  );
}

function convertFileObject(kind: Kind, key: string, object: ComposeFileObject, context: ConvertContext): FileSpec {
  const { driver, driverOpts, templateDriver, labels } = object;
  const name = object.name ?? scoped(context.stack, key);
  const path = `${kind}.${key}`;
  checkObjectName(name, path, object, context);
  return {
    Name: name,
    Labels: withStack(context.stack, labels),
    ...(driver === undefined ? readData(kind, path, object, context) : {}),
    ...omitEmpty<Pick<FileSpec, 'Driver' | 'Templating'>>({
      Driver: driver === undefined ? undefined : omitEmpty({ Name: driver, Options: nonEmpty(driverOpts) }),
      Templating: templateDriver === undefined ? undefined : { Name: templateDriver },
    }),
  };
}

function checkObjectName(name: string, path: string, object: ComposeFileObject, { findings }: ConvertContext): void {
  if (name.length <= 64 && /^[a-z0-9]+([a-z0-9_.-]*[a-z0-9])?$/i.test(name)) return;
  const hint = 'up to 64 letters, digits, "-", "_" and ".", with a letter or digit at both ends';
  findings.refuse(object.at, 'INVALID_VALUE', path, `"${name}" cannot be its name`, hint);
}

/** Limits of the engine. */
const MAX_BYTES: Readonly<Record<Kind, number>> = { configs: 1_024_000, secrets: 512_000 };

function readData(
  kind: Kind,
  path: string,
  { file, at }: ComposeFileObject,
  { readFile, findings }: ConvertContext,
): Pick<FileSpec, 'Data'> {
  if (file === undefined) {
    const hint = 'name a file, or write `external: true` for one that exists';
    findings.refuse(at, 'MISSING_KEY', path, 'must have a `file`', hint);
    return {};
  }
  const content = readFile(file);
  if (content.kind === 'unreadable') {
    findings.refuse(at, 'FILE', path, `cannot read ${file}: ${content.reason}`);
    return {};
  }
  const size = content.bytes.byteLength;
  if (size === 0) findings.refuse(at, 'FILE', path, `${file} is empty, and the engine keeps no empty ${kind}`);
  if (size >= MAX_BYTES[kind]) {
    const message = `${file} has ${size} bytes, and ${kind} must have less than ${MAX_BYTES[kind]}`;
    findings.refuse(at, 'FILE', path, message);
  }
  return { Data: Buffer.from(content.bytes).toString('base64') };
}

/** In the order of their names, so that another order in the file is no change. */
export function convertSecretReferences(service: ComposeService, context: ConvertContext): readonly SecretReference[] {
  return mountedFiles('secrets', service, context)
    .map(({ name, file }) => ({ File: file, SecretID: '', SecretName: name }))
    .sort((a, b) => compare(a.SecretName, b.SecretName));
}

/** A config that a credential specification names is referred to as well, but not mounted. */
export function convertConfigReferences(service: ComposeService, context: ConvertContext): readonly ConfigReference[] {
  const references: ConfigReference[] = mountedFiles('configs', service, context).map(({ name, file }) => ({
    File: file,
    ConfigID: '',
    ConfigName: name,
  }));
  const { credentialSpec } = service;
  if (credentialSpec?.config !== undefined) {
    const path = `services.${service.name}.credential_spec`;
    const name = nameOf('configs', credentialSpec.config, credentialSpec.at, path, context);
    references.push({ Runtime: {}, ConfigID: '', ConfigName: name });
  }
  return references.sort((a, b) => compare(a.ConfigName, b.ConfigName));
}

interface MountedFile {
  readonly name: string;
  readonly file: FileTarget;
}

function mountedFiles(kind: Kind, service: ComposeService, context: ConvertContext): readonly MountedFile[] {
  const path = `services.${service.name}.${kind}`;
  const targets = new Set<string>();
  return (service[kind] ?? []).map((reference) => {
    const file = fileTarget(reference);
    if (targets.has(file.Name)) {
      const message = `another one is already mounted at "${file.Name}"`;
      context.findings.refuse(reference.at, 'CONFLICT', path, message, 'give it a `target` of its own');
    }
    targets.add(file.Name);
    return { name: nameOf(kind, reference.source, reference.at, path, context), file };
  });
}

function fileTarget({ source, target, uid, gid, mode }: ComposeReference): FileTarget {
  return { Name: target ?? source, UID: uid ?? '0', GID: gid ?? '0', Mode: mode ?? 0o444 };
}

function nameOf(kind: Kind, key: string, at: Position, path: string, context: ConvertContext): string {
  const object = context.model[kind].get(key);
  if (object === undefined) refuseUndefined(kind, key, at, path, context);
  return object?.name ?? scoped(context.stack, key);
}
