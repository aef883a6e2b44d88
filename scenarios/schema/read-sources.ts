/** Finds and reads a scenario and its profiles, applies overrides, and merges each workload with its profile. */
import { basename, dirname, join } from 'node:path';
import { suggest } from '../yaml/nearest.js';
import {
  child,
  emptyMap,
  kindOf,
  type MapEntry,
  type MapNode,
  scalarNode,
  shortened,
  withoutEntry,
} from '../yaml/node.js';
import { parseYaml } from '../yaml/parse-yaml.js';
import { type Position, problemAt } from '../yaml/problem.js';
import { checkNode } from './keys/check-node.js';
import { MOST_PARTS } from './keys/fields.js';
import { overrideSchema } from './keys/profile-schema.js';
import { listProfiles, listScenarios } from './list-scenarios.js';
import { applyOverride, type Override, parseOverride } from './override.js';
import { type ScenarioIo, shippedFolder, shownPath } from './scenario-io.js';
import { nameOf, type Problem, positionOfOption, SourcePart } from './source-part.js';

export interface Sources {
  /** As shown in problems and kept in the plan. */
  readonly file: string;
  readonly scenario: MapNode;
  readonly workloads: readonly Workload[];
}

/** A workload entry with its profile merged in. */
export interface Workload {
  readonly name: string;
  readonly node: MapNode;
}

/** @returns undefined when the scenario itself cannot be read; everything wrong is added to `problems` */
export function readSources(
  scenario: string,
  sets: readonly string[],
  io: ScenarioIo,
  problems: Problem[],
): Sources | undefined {
  const file = findScenario(scenario, io, problems);
  if (file === undefined) return undefined;
  const written = readMap(file, io, problems);
  if (written === undefined) return undefined;
  if (sets.length > MOST_PARTS) {
    const message = `at most ${MOST_PARTS} overrides, not ${sets.length}`;
    problems.push(problemAt(positionOfOption('--set'), 'LIMIT_EXCEEDED', '', message, 'write them into the scenario'));
    return undefined;
  }
  const overrides = sets.flatMap((set) => {
    const parsed = parseOverride(set);
    if (parsed.ok) return [parsed.value];
    for (const problem of parsed.problems) problems.push(problem);
    return [];
  });
  const ofScenario = overrides.filter((override) => !isInsideWorkload(override));
  const ofWorkloads = overrides.filter(isInsideWorkload);
  const root = ofScenario.reduce((map, override) => apply(map, override, problems), written);
  const profiles = new ProfileReader(dirname(file), io, problems);
  const workloads = readWorkloads(root, profiles, ofWorkloads, problems);
  return { file: shownPath(file), scenario: root, workloads };
}

/** In place of a workload's name in an override. */
const EVERY_WORKLOAD = '*';

/** `workload.NAME.KEY...` is applied after the profile has been merged in, so that it can change keys of both. */
function isInsideWorkload({ segments }: Override): boolean {
  return segments[0]?.key === 'workload' && segments.length > 2 && segments[2]?.key !== 'profile';
}

function apply(map: MapNode, override: Override, problems: Problem[]): MapNode {
  const applied = applyOverride(map, override);
  if (applied.ok) return applied.value;
  for (const problem of applied.problems) problems.push(problem);
  return map;
}

function findScenario(scenario: string, io: ScenarioIo, problems: Problem[]): string | undefined {
  const isPath = /[/\\]|\.ya?ml$/.test(scenario);
  const file = isPath ? scenario : join(shippedFolder(), `${scenario}.yaml`);
  if (io.readText(file) !== undefined) return file;
  const at = { file: scenario, line: 1, column: 1 };
  const names = listScenarios(shippedFolder(), io).map(({ name }) => name);
  const message = isPath ? 'there is no such file' : `there is no scenario \`${scenario}\``;
  problems.push(problemAt(at, 'NOT_FOUND', '', message, isPath ? undefined : suggest(scenario, names, 'scenarios')));
  return undefined;
}

function readMap(file: string, io: ScenarioIo, problems: Problem[]): MapNode | undefined {
  const start = { file: shownPath(file), line: 1, column: 1 };
  const parsed = parseYaml(io.readText(file) ?? '', start);
  for (const problem of parsed.problems) problems.push(problem);
  if (parsed.node?.kind === 'map') return parsed.node;
  if (parsed.problems.length === 0) {
    const found = parsed.node === undefined ? 'nothing' : kindOf(parsed.node);
    problems.push(problemAt(parsed.node?.at ?? start, 'SYNTAX', '', `expected a map of keys, found ${found}`));
  }
  return undefined;
}

function readWorkloads(
  root: MapNode,
  profiles: ProfileReader,
  overrides: readonly Override[],
  problems: Problem[],
): readonly Workload[] {
  const workload = child(root, 'workload');
  const entries = workload?.kind === 'map' ? workload.entries : new Map<string, MapEntry>();
  for (const { segments } of overrides) {
    const name = segments[1];
    if (name === undefined || name.key === EVERY_WORKLOAD || entries.has(name.key)) continue;
    const hint = `${suggest(name.key, [...entries.keys()], 'workloads')}; to add it: --set workload.${name.key}={}`;
    problems.push(
      problemAt(name.at, 'NOT_FOUND', `workload.${name.key}`, `the scenario has no workload \`${name.key}\``, hint),
    );
  }
  // More of them are refused as a whole.
  return [...entries].slice(0, MOST_PARTS).flatMap(([name, entry]) => {
    const merged = mergeWorkload(name, entry, profiles, problems);
    if (merged === undefined) return [];
    const ofThis = overrides.filter(({ segments }) => [name, EVERY_WORKLOAD].includes(segments[1]?.key ?? ''));
    return [{ name, node: ofThis.reduce((map, override) => applyInside(map, override, problems), merged) }];
  });
}

/** An override without its `workload.NAME`, applied to the merged profile. */
function applyInside(profile: MapNode, override: Override, problems: Problem[]): MapNode {
  const segments = override.segments.slice(2);
  const prepared = withoutExclusiveKey(
    profile,
    segments.map(({ key }) => key),
  );
  return apply(prepared, { ...override, segments }, problems);
}

function mergeWorkload(
  name: string,
  entry: MapEntry,
  profiles: ProfileReader,
  problems: Problem[],
): MapNode | undefined {
  const overrides = entry.node.kind === 'map' ? entry.node : emptyMap(entry.keyAt);
  const chosen = child(overrides, 'profile');
  const profile = chosen?.kind === 'scalar' && typeof chosen.value === 'string' ? chosen.value : name;
  const base = profiles.read(profile, chosen?.at ?? entry.keyAt);
  if (base === undefined) {
    checkNode(overrideSchema, new SourcePart(overrides, `workload.${name}`, (problem) => problems.push(problem)));
    return undefined;
  }
  return mergeProfile(base, overrides, {
    keyAt: entry.keyAt,
    node: scalarNode(name, entry.keyAt),
  });
}

/** Profiles beside the scenario come before the shipped ones. Each file is read once, however many workloads use it. */
class ProfileReader {
  private readonly known = new Map<string, MapNode | undefined>();
  private readonly missing = new Set<string>();
  private names: readonly string[] | undefined;

  constructor(
    private readonly folder: string,
    private readonly io: ScenarioIo,
    private readonly problems: Problem[],
  ) {}

  /** @param at where it is asked for @returns undefined when it cannot be used, which is reported */
  read(name: string, at: Position): MapNode | undefined {
    if (!this.known.has(name)) this.known.set(name, this.readFile(name));
    if (this.missing.has(name)) {
      this.names ??= this.allNames();
      const hint = suggest(name, this.names, 'profiles');
      const message = `there is no profile \`${shortened(name)}\``;
      this.problems.push(problemAt(at, 'NOT_FOUND', `workload.${name}`, message, hint));
    }
    return this.known.get(name);
  }

  private readFile(name: string): MapNode | undefined {
    const files = this.folders().map((place) => join(place, 'profiles', `${basename(name)}.yaml`));
    const file = files.find((candidate) => this.io.readText(candidate) !== undefined);
    if (file === undefined) {
      this.missing.add(name);
      return undefined;
    }
    const profile = readMap(file, this.io, this.problems);
    if (profile !== undefined && nameOf(profile) !== name) {
      const nameAt = child(profile, 'name')?.at ?? profile.at;
      this.problems.push(problemAt(nameAt, 'CONFLICT', 'name', `a profile has the name of its file: \`${name}\``));
    }
    return profile;
  }

  private folders(): readonly string[] {
    return [this.folder, shippedFolder()];
  }

  private allNames(): readonly string[] {
    return [...new Set(this.folders().flatMap((place) => listProfiles(place, this.io).map(({ name }) => name)))];
  }
}

/** Maps whose keys are overridden one by one. Any other key is replaced as a whole. */
const mergedKeys: ReadonlySet<string> = new Set(['arrivals', 'misbehave', 'stream']);

/** A client has one of these; giving one removes the other. */
const exclusiveKeys: Readonly<Record<string, string>> = { arrivals: 'thinkTime', thinkTime: 'arrivals' };

/** `misbehave.idle` decides when a client calls, and so removes these. */
const pacingKeys = Object.keys(exclusiveKeys);

/** @param name the entry for `name` in the result, at the place where the workload is written */
function mergeProfile(base: MapNode, overrides: MapNode, name: MapEntry): MapNode {
  const merged = new Map([...base.entries, ['name', name] as const]);
  for (const [key, entry] of overrides.entries) {
    if (key === 'profile') continue;
    const exclusiveKey = exclusiveKeys[key];
    if (exclusiveKey !== undefined && !overrides.entries.has(exclusiveKey)) merged.delete(exclusiveKey);
    merged.set(key, mergeEntry(key, merged.get(key), entry));
  }
  if (isIdle(overrides.entries.get('misbehave'))) {
    for (const pacingKey of pacingKeys) if (!overrides.entries.has(pacingKey)) merged.delete(pacingKey);
  }
  return { ...base, entries: merged, at: name.keyAt };
}

function isIdle(misbehave: MapEntry | undefined): boolean {
  return misbehave?.node.kind === 'map' && misbehave.node.entries.has('idle');
}

/** @param path of the key that `--set` gives, such as `misbehave`, `idle` */
function withoutExclusiveKey(profile: MapNode, path: readonly (string | undefined)[]): MapNode {
  const [key = '', inner] = path;
  if (key === 'misbehave' && inner === 'idle') return pacingKeys.reduce(withoutEntry, profile);
  const exclusiveKey = exclusiveKeys[key];
  return exclusiveKey === undefined ? profile : withoutEntry(profile, exclusiveKey);
}

function mergeEntry(key: string, base: MapEntry | undefined, over: MapEntry): MapEntry {
  if (!mergedKeys.has(key) || base?.node.kind !== 'map' || over.node.kind !== 'map') return over;
  return { keyAt: over.keyAt, node: { ...base.node, entries: new Map([...base.node.entries, ...over.node.entries]) } };
}
