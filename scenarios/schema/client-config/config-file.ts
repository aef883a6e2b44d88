/**
 * The configuration files of MCP clients, and their servers as targets. Programs differ in the format of the file, in
 * where the servers stand in it, and in what they call the keys (`server-entry.ts`).
 */
import { suggest } from '../../yaml/nearest.js';
import { child, descend, keyPositionOf, type Path, positionOf, type SourceNode } from '../../yaml/node.js';
import { parseYaml } from '../../yaml/parse-yaml.js';
import { problemAt } from '../../yaml/problem.js';
import type { DeclaredInput } from '../grammar/variables.js';
import type { Problem } from '../source-part.js';
import { type ParsedFile, parseJsonc } from './parse-jsonc.js';
import { parseToml } from './parse-toml.js';
import {
  type ConfigSurroundings,
  isDisabled,
  looksLikeServer,
  readServer,
  type ServerEntry,
  type ServerResult,
} from './server-entry.js';

export interface ConfigRequest extends ConfigSurroundings {
  readonly text: string;
  /** The file as problems name it. */
  readonly shownFile: string;
}

/** A server as `swarmbench list --config` shows it: as it is written, without the values of variables. */
export interface ListedServer {
  readonly name: string;
  readonly disabled: boolean;
  readonly result: ServerResult;
}

type ListResult =
  | { readonly ok: true; readonly servers: readonly ListedServer[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function listServers(request: ConfigRequest): ListResult {
  const read = readConfig(request);
  if (!read.ok) return read;
  const servers = read.entries.map((entry) => ({
    name: entry.name,
    disabled: isDisabled(entry),
    result: readServer(entry, read.inputs, request),
  }));
  return { ok: true, servers };
}

/** @param name of one of its servers; not needed where only one is not disabled */
export function chooseServer(request: ConfigRequest, name: string | undefined): ServerResult {
  const read = readConfig(request);
  if (!read.ok) return read;
  const { entries, inputs, at, place } = read;
  const names = entries.map((entry) => entry.name);
  const enabled = entries.filter((entry) => !isDisabled(entry));
  const candidates = enabled.length > 0 ? enabled : entries;
  const chosen = name === undefined ? candidates : entries.filter((entry) => entry.name === name);
  const [entry, second] = chosen;
  if (entry === undefined) {
    const hint = suggest(name ?? '', names, 'servers');
    return failed(problemAt(at, 'NOT_FOUND', place, `the file has no server \`${name ?? ''}\``, hint));
  }
  if (second !== undefined) {
    if (name !== undefined)
      return failed(problemAt(second.keyAt, 'CONFLICT', second.path, `the file has two servers \`${name}\``));
    const hint = `--server NAME, one of: ${candidates.map((each) => each.name).join(', ')}`;
    return failed(problemAt(at, 'MISSING_KEY', place, `the file has ${candidates.length} servers: choose one`, hint));
  }
  if (isDisabled(entry)) {
    const message = `server \`${entry.name}\` is disabled in the file`;
    const others = enabled.map((each) => each.name).join(', ');
    const hint = others === '' ? 'enable it there' : `enable it there, or choose another one: ${others}`;
    return failed(problemAt(entry.keyAt, 'CONFLICT', entry.path, message, hint));
  }
  return readServer(entry, inputs, request);
}

/** Where files have their servers: a map of them by name, or a list of servers with names. */
const places: readonly Path[] = [
  ['mcpServers'], // Claude, Cursor, Cline, Windsurf, Gemini CLI, Continue and most others
  ['servers'], // VS Code, Visual Studio
  ['context_servers'], // Zed
  ['mcp_servers'], // Codex
  ['mcp', 'servers'], // the settings of VS Code
  ['mcp', 'mcpServers'],
  ['settings', 'mcp', 'servers'], // a workspace of VS Code
  ['experimental', 'modelContextProtocolServers'], // Continue, its older form
];
/** Keys of settings that hold the whole path, such as `amp.mcpServers`. */
const dottedPlace = /\.(?:mcpServers|mcp\.servers)$|^mcp\.servers$/;
/** Maps that hold other things as well: only what looks like a server is one. */
const mixedPlaces: readonly Path[] = [
  ['mcp'], // opencode, Crush
  ['extensions'], // Goose
];

interface ReadConfig {
  readonly ok: true;
  readonly entries: readonly ServerEntry[];
  readonly inputs: ReadonlyMap<string, DeclaredInput>;
  /** Where the first of them stand. */
  readonly at: ReturnType<typeof positionOf>;
  readonly place: string;
}

function readConfig({ text, shownFile }: ConfigRequest): ReadConfig | { ok: false; problems: readonly Problem[] } {
  const start = { file: shownFile, line: 1, column: 1 };
  const example = '{ "mcpServers": { "name": { "url": "http://..." } } }';
  const { node, problems } = parseFile(text.replace(/^\uFEFF/, ''), shownFile);
  if (problems.length > 0) return { ok: false, problems };
  if (node === undefined) return failed(problemAt(start, 'SYNTAX', '', 'the file is empty', example));
  const found = placesIn(node);
  const entries = found.flatMap((place) => entriesAt(node, place));
  const [first = []] = found;
  const at = positionOf(node, first);
  const place = first.join('.');
  if (entries.length > 0) return { ok: true, entries, inputs: inputsIn(node), at, place };
  if (first.length > 0)
    return failed(problemAt(at, 'MISSING_KEY', place, `\`${place}\` has no servers`, `add one: ${example}`));
  const keys = node.kind === 'map' ? [...node.entries.keys()].slice(0, 10).join(', ') : '';
  const message = `the file has no \`mcpServers\`${keys === '' ? '' : `, only ${keys}`}`;
  const known = [...places, ...mixedPlaces].map((each) => each.join('.')).join(', ');
  return failed(problemAt(node.at, 'MISSING_KEY', 'mcpServers', message, `servers may also stand in: ${known}`));
}

function failed(problem: Problem): { readonly ok: false; readonly problems: readonly Problem[] } {
  return { ok: false, problems: [problem] };
}

function parseFile(text: string, file: string): ParsedFile {
  if (text.trim() === '') return { node: undefined, problems: [] };
  const [, extension = ''] = /\.(\w+)$/.exec(file.toLowerCase()) ?? [];
  if (extension === 'toml') return parseToml(text, file);
  const isJson = ['json', 'jsonc', 'json5'].includes(extension) || /^\s*(?:\{|\/[/*])/.test(text);
  if (isJson && !['yaml', 'yml'].includes(extension)) return parseJsonc(text, file);
  return parseYaml(text, { file, line: 1, column: 1 });
}

function placesIn(root: SourceNode): readonly Path[] {
  const dotted = root.kind === 'map' ? [...root.entries.keys()].filter((key) => dottedPlace.test(key)) : [];
  const plain = [...places, ...dotted.map((key) => [key])].filter((place) => isCollection(descend(root, place)));
  if (plain.length > 0) return plain;
  const mixed = mixedPlaces.filter((place) =>
    membersOf(descend(root, place)).some(({ node }) => looksLikeServer(node)),
  );
  if (mixed.length > 0) return mixed;
  // A map of servers by name and nothing else, as a plugin of Claude Code has it.
  const members = membersOf(root);
  return members.length > 0 && members.every(({ node }) => looksLikeServer(node)) ? [[]] : [];
}

function isCollection(node: SourceNode | undefined): boolean {
  return node?.kind === 'map' || node?.kind === 'list';
}

interface Member {
  readonly key: string | number;
  readonly name: string;
  readonly node: SourceNode;
}

function membersOf(collection: SourceNode | undefined): readonly Member[] {
  if (collection?.kind === 'map') return [...collection.entries].map(([key, { node }]) => ({ key, name: key, node }));
  if (collection?.kind !== 'list') return [];
  return collection.items.map((node, key) => ({ key, name: textIn(node, 'name') ?? String(key + 1), node }));
}

function entriesAt(root: SourceNode, place: Path): readonly ServerEntry[] {
  const isMixed = mixedPlaces.some((mixed) => mixed.join('.') === place.join('.'));
  return membersOf(descend(root, place)).flatMap(({ key, name, node }): readonly ServerEntry[] => {
    if (node.kind !== 'map' || (isMixed && !looksLikeServer(node))) return [];
    const path = [...place, key];
    const isOpencode = place.join('.') === 'mcp';
    return [{ name, path: path.join('.'), keyAt: keyPositionOf(root, path), node, bareBraces: isOpencode }];
  });
}

/** What the file asks its user for: the `inputs` of VS Code. */
function inputsIn(root: SourceNode): ReadonlyMap<string, DeclaredInput> {
  const lists = [['inputs'], ['mcp', 'inputs'], ['settings', 'mcp', 'inputs']].map((path) => descend(root, path));
  return new Map(
    lists
      .flatMap((list) => (list?.kind === 'list' ? list.items : []))
      .flatMap((input) => {
        const id = textIn(input, 'id');
        const description = textIn(input, 'description');
        const fallback = textIn(input, 'default');
        const declared = {
          ...(description === undefined ? {} : { description }),
          ...(fallback === undefined ? {} : { fallback }),
        };
        return id === undefined ? [] : [[id, declared] as const];
      }),
  );
}

function textIn(node: SourceNode, key: string): string | undefined {
  const found = child(node, key);
  return found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : undefined;
}
