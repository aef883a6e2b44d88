/** Loads one compose file: from its text to the model. */
import type { Position } from '../../../../../scenarios/yaml/problem.js';
import type { Findings } from '../findings.js';
import { interpolate } from '../interpolate.js';
import type { ComposeModel } from '../model.js';
import { checkSchema, formatOf } from '../schema/check-schema.js';
import { FORBIDDEN } from '../schema/known-keys.js';
import { readGoYaml } from '../source/go-values.js';
import type { MapValue, SourceValue } from '../source/value.js';
import { loadFileObject, loadNetwork, loadVolume } from './objects.js';
import { type LoadContext, mapOf } from './read.js';
import { loadService } from './service.js';

export interface ComposeSource {
  /** As shown in messages. */
  readonly file: string;
  readonly text: string;
}

/** Undefined when anything is refused; the findings then say what. */
export function loadFile(source: ComposeSource, context: LoadContext): ComposeModel | undefined {
  const { findings } = context;
  const before = findings.problems.length;
  const raw = readGoYaml(source.text, source.file, findings);
  if (raw === undefined) return undefined;
  const format = formatOf(raw, findings);
  refuseForbidden(raw, findings);
  if (format === undefined || findings.problems.length > before) return undefined;
  const file = interpolate(raw, context.lookup, findings);
  checkSchema(file, format, findings);
  const model: ComposeModel = {
    format: { value: format, at: raw.entries.get('version')?.value.at ?? raw.at },
    services: section(file, 'services', (name, at, value) =>
      value.kind === 'map' ? loadService(name, at, value, context) : undefined,
    ),
    networks: section(file, 'networks', (name, at, value) => loadNetwork(name, at, value, context)),
    volumes: section(file, 'volumes', (name, at, value) => loadVolume(name, at, value, context)),
    secrets: section(file, 'secrets', (name, at, value) => loadFileObject('secrets', name, at, value, context)),
    configs: section(file, 'configs', (name, at, value) => loadFileObject('configs', name, at, value, context)),
  };
  return findings.problems.length > before ? undefined : model;
}

function refuseForbidden(file: MapValue, findings: Findings): void {
  for (const [name, { value }] of mapOf(file, 'services')?.entries ?? []) {
    if (value.kind !== 'map') continue;
    for (const [key, { keyAt }] of value.entries) {
      const remedy = FORBIDDEN.get(key);
      if (remedy !== undefined)
        findings.refuse(keyAt, 'FORBIDDEN_KEY', `services.${name}.${key}`, 'cannot be used in a Swarm', remedy);
    }
  }
}

function section<T>(
  file: MapValue,
  name: string,
  load: (key: string, at: Position, value: SourceValue) => T | undefined,
): ReadonlyMap<string, T> {
  const loaded = new Map<string, T>();
  for (const [key, { keyAt, value }] of mapOf(file, name)?.entries ?? []) {
    const item = load(key, keyAt, value);
    if (item !== undefined) loaded.set(key, item);
  }
  return loaded;
}
