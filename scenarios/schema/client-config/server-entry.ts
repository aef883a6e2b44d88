/** One server of a configuration file, whatever its program calls the keys. */
import { basename, dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { nearest } from '../../yaml/nearest.js';
import { type MapEntry, type MapNode, positionOf, type SourceNode } from '../../yaml/node.js';
import { type Position, problemAt } from '../../yaml/problem.js';
import { type DeclaredInput, expandVariables, type Variables } from '../grammar/variables.js';
import { checkNode } from '../keys/check-node.js';
import { type Problem, type ReportProblem, SourcePart } from '../source-part.js';
import { type TransportName, transportOfUrl } from '../transports.js';

/** A server as its file has it. */
export interface ServerEntry {
  readonly name: string;
  /** In the file, such as `mcpServers.mine`. */
  readonly path: string;
  readonly keyAt: Position;
  readonly node: MapNode;
  /** The file of opencode, which writes `{env:VAR}` for `${env:VAR}`. */
  readonly bareBraces: boolean;
}

/** What `${...}` in a file stands for, and how other files are read. */
export interface ConfigSurroundings {
  /** Absolute. */
  readonly file: string;
  readonly env: Variables['env'];
  /** `--input NAME=VALUE`. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly readText: (path: string) => string | undefined;
}

export interface ConfiguredHeader {
  readonly name: string;
  readonly value: string;
  readonly at: Position;
}

/** All variables are filled in. */
export interface ConfiguredServer {
  /** This or `command`. */
  readonly url?: { readonly text: string; readonly at: Position };
  readonly command?: readonly string[];
  /** The command before its variables were filled in: it can be shown. */
  readonly writtenCommand?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd?: string;
  /** For profiles that name no transport; undefined: what the url says, or their default. */
  readonly transport: TransportName | undefined;
  readonly headers: readonly ConfiguredHeader[];
  /** Keys that are not used and might matter. */
  readonly warnings: readonly string[];
}

/** How its clients reach it: what its entry says, else its url. Undefined: neither says. */
export function transportOf({ transport, url }: ConfiguredServer): TransportName | undefined {
  return transport ?? (url === undefined ? undefined : transportOfUrl(url.text));
}

export type ServerResult =
  | { readonly ok: true; readonly server: ConfiguredServer }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const texts = z.array(z.string());
const textMap = z.record(z.string(), z.string());

const serverSchema = z.object({
  url: z.string().optional(),
  type: z.string().optional(),
  command: z.union([z.string(), texts.min(1)]).optional(),
  args: texts.optional(),
  env: textMap.optional(),
  cwd: z.string().optional(),
  envFile: z.union([z.string(), texts]).optional(),
  envNames: texts.optional(),
  headers: textMap.optional(),
  envHeaders: textMap.optional(),
  bearerEnv: z.string().optional(),
  disabled: z.boolean().optional(),
  enabled: z.boolean().optional(),
});
type Canonical = z.infer<typeof serverSchema>;

/** Our name of a key, by the names that programs have for it. Of two in an entry, the one that is first here counts. */
const keyNames: Readonly<Record<string, keyof Canonical>> = {
  httpUrl: 'url',
  http_url: 'url',
  serverUrl: 'url',
  server_url: 'url',
  url: 'url',
  uri: 'url',
  baseUrl: 'url',
  type: 'type',
  transport: 'type',
  transportType: 'type',
  transport_type: 'type',
  command: 'command',
  cmd: 'command',
  args: 'args',
  env: 'env',
  environment: 'env',
  envs: 'env',
  cwd: 'cwd',
  workingDirectory: 'cwd',
  working_directory: 'cwd',
  envFile: 'envFile',
  env_file: 'envFile',
  env_vars: 'envNames',
  env_keys: 'envNames',
  headers: 'headers',
  http_headers: 'headers',
  httpHeaders: 'headers',
  env_http_headers: 'envHeaders',
  bearer_token_env_var: 'bearerEnv',
  disabled: 'disabled',
  enabled: 'enabled',
  isActive: 'enabled',
  active: 'enabled',
};

/** Maps whose keys belong to the entry itself. */
const wrappers = ['transport', 'command', 'requestOptions', 'requestInit'];

/** Within a wrapper. */
const wrappedNames: Readonly<Record<string, keyof Canonical>> = { ...keyNames, path: 'command' };

/** Keys about a program's windows, and about which tools it may call by itself: they change nothing of the server. */
const harmless: ReadonlySet<string> = new Set([
  'name',
  'id',
  'title',
  'description',
  'display_name',
  'displayName',
  'icon',
  'logo',
  'logoUrl',
  'color',
  'tags',
  'version',
  'author',
  'provider',
  'providerUrl',
  'homepage',
  'repository',
  'gallery',
  'registryUrl',
  'source',
  'bundled',
  'owner',
  'instructions',
  'autoApprove',
  'autoStart',
  'alwaysAllow',
  'allowedTools',
  'trust',
  'tools',
  'disabledTools',
  'enabledTools',
  'disabled_tools',
  'enabled_tools',
  'available_tools',
  'includeTools',
  'excludeTools',
  'availableTools',
  'toolFilter',
  'watch',
  'watchPaths',
  'fromGalleryId',
  'chatMenu',
  'required',
  '$schema',
]);

const noOauth = 'for a token, use headers or --auth-token-file';
const ownTimeout = '`timeout` of a profile decides how long an answer may take';

/** What takes the place of a key that is not used. */
const instead: Readonly<Record<string, string>> = {
  oauth: noOauth,
  auth: noOauth,
  authorization: noOauth,
  apiKey: noOauth,
  timeout: ownTimeout,
  timeoutSeconds: ownTimeout,
  requestTimeout: ownTimeout,
  tool_timeout_sec: ownTimeout,
  startup_timeout_sec: 'a server is waited for as the preflight waits',
};

/** The transports by the names that programs give to them, in lower case and letters only. */
const transportNames: Readonly<Record<string, TransportName | 'any'>> = {
  http: 'streamable-http',
  streamablehttp: 'streamable-http',
  streamable: 'streamable-http',
  httpstream: 'streamable-http',
  streamhttp: 'streamable-http',
  sse: 'sse',
  httpsse: 'sse',
  serversentevents: 'sse',
  stdio: 'stdio',
  local: 'stdio',
  websocket: 'websocket',
  websockets: 'websocket',
  ws: 'websocket',
  tcp: 'tcp',
  remote: 'any',
  url: 'any',
  auto: 'any',
};

/** Whether a map could be a server: other things stand beside servers in some files. */
export function looksLikeServer(node: SourceNode): node is MapNode {
  return (
    node.kind === 'map' &&
    [...node.entries].some(
      ([key, { node: value }]) => !isNull(value) && (keyNames[key] === 'url' || keyNames[key] === 'command'),
    )
  );
}

/** Whether the file says that the server is not to be used. */
export function isDisabled({ node }: ServerEntry): boolean {
  const { entries } = canonical(node);
  const says = (key: string, value: boolean): boolean => {
    const found = entries.get(key)?.node;
    return found?.kind === 'scalar' && found.value === value;
  };
  return says('disabled', true) || says('enabled', false);
}

/** The entry with its variables filled in. */
export function readServer(
  entry: ServerEntry,
  declared: ReadonlyMap<string, DeclaredInput>,
  surroundings: ConfigSurroundings,
): ServerResult {
  const { name, path, keyAt } = entry;
  const problems: Problem[] = [];
  const report: ReportProblem = (problem) => problems.push(problem);
  const { entries, unused, httpOnly } = canonical(entry.node);
  const node: MapNode = { ...entry.node, entries };
  const checked = checkNode(serverSchema, new SourcePart(node, path, report));
  if (checked === undefined) return { ok: false, problems };
  const reader = new EntryReader(entry, node, declared, surroundings, report);
  const { type } = checked;
  const known = type === undefined ? undefined : transportNames[type.toLowerCase().replace(/[^a-z]/g, '')];
  if (type !== undefined && known === undefined) {
    const hint = 'types: http, streamable-http, sse, websocket, tcp, stdio';
    reader.refuse(['type'], `\`${type}\` is not a known transport`, hint);
  }
  const transport = known === undefined || known === 'any' ? undefined : known;
  const command = [checked.command ?? [], checked.args ?? []].flat();
  const isCommand = checked.command !== undefined && (transport === undefined || transport === 'stdio');
  const warnings = unused.map((key) => warningOf(key, entry));
  let server: ConfiguredServer | undefined;
  if (isCommand) {
    const cwd = checked.cwd === undefined ? undefined : reader.pathOf(reader.expand(checked.cwd, ['cwd']));
    server = {
      command: command.map((text, index) => reader.expand(text, placeOf(checked, index))),
      writtenCommand: command,
      env: reader.environment(checked),
      ...(cwd === undefined ? {} : { cwd }),
      headers: [],
      transport: 'stdio',
      warnings,
    };
  } else if (checked.url === undefined || transport === 'stdio') {
    const missing = transport === 'stdio' ? 'command' : 'url';
    const what = type === undefined ? 'neither a url nor a command' : `no ${missing}`;
    report(problemAt(keyAt, 'MISSING_KEY', `${path}.${missing}`, `server \`${name}\` has ${what}`));
  } else {
    server = {
      url: { text: reader.expand(checked.url, ['url']), at: positionOf(node, ['url']) },
      env: {},
      headers: reader.headers(checked),
      transport: transport ?? (httpOnly ? 'streamable-http' : undefined),
      warnings,
    };
  }
  return server === undefined || problems.length > 0 ? { ok: false, problems } : { ok: true, server };
}

/** Where the word of a command stands. */
function placeOf({ command, args }: Canonical, index: number): readonly (string | number)[] {
  if (!Array.isArray(command)) return index === 0 ? ['command'] : ['args', index - 1];
  const inArgs = index - command.length;
  return args === undefined || inArgs < 0 ? ['command', index] : ['args', inArgs];
}

interface CanonicalEntry {
  readonly entries: Map<string, MapEntry>;
  /** Keys that are not used and might matter. */
  readonly unused: readonly { readonly key: string; readonly at: Position }[];
  /** The url stands under a key that means Streamable HTTP. */
  readonly httpOnly: boolean;
}

/** The entry under our names for its keys. A key without a value is as good as none. */
function canonical(written: MapNode): CanonicalEntry {
  const entries = new Map<string, MapEntry>();
  const unused: { key: string; at: Position }[] = [];
  const givenBy = new Map<string, string>();
  const rank = Object.keys(wrappedNames);
  const add = (map: MapNode, names: Readonly<Record<string, keyof Canonical>>, prefix: string): void => {
    for (const [key, entry] of map.entries) {
      if (isNull(entry.node)) continue;
      if (prefix === '' && wrappers.includes(key) && entry.node.kind === 'map') {
        add(entry.node, wrappedNames, `${key}.`);
        continue;
      }
      const ours = Object.hasOwn(names, key) ? names[key] : undefined;
      if (ours === undefined) {
        if (!harmless.has(key)) unused.push({ key: `${prefix}${key}`, at: entry.keyAt });
        continue;
      }
      const before = givenBy.get(ours);
      const other = entries.get(ours);
      const isFirst = before === undefined || rank.indexOf(key) < rank.indexOf(before);
      if (before !== undefined && other !== undefined && !isEqual(other.node, entry.node))
        unused.push(isFirst ? { key: before, at: other.keyAt } : { key: `${prefix}${key}`, at: entry.keyAt });
      if (!isFirst) continue;
      givenBy.set(ours, key);
      entries.set(ours, { keyAt: entry.keyAt, node: asTexts(ours, entry.node) });
    }
  };
  add(written, keyNames, '');
  return { entries, unused, httpOnly: /^http_?url$/i.test(givenBy.get('url') ?? '') };
}

const listsOfTexts: readonly string[] = ['args', 'env', 'headers', 'command'] satisfies (keyof Canonical)[];

/** `PORT: 3000` and `args: [--port, 3000]` mean texts, as they are written. */
function asTexts(key: string, node: SourceNode): SourceNode {
  if (!listsOfTexts.includes(key)) return node;
  const asText = (value: SourceNode): SourceNode =>
    value.kind === 'scalar' && (typeof value.value === 'number' || typeof value.value === 'boolean')
      ? { ...value, value: value.source }
      : value;
  if (node.kind === 'list') return { ...node, items: node.items.map(asText) };
  if (node.kind !== 'map') return node;
  const kept = [...node.entries].filter(([, { node: value }]) => !isNull(value));
  return { ...node, entries: new Map(kept.map(([name, each]) => [name, { ...each, node: asText(each.node) }])) };
}

function isEqual(one: SourceNode, other: SourceNode): boolean {
  return one.kind === 'scalar' && other.kind === 'scalar' && one.value === other.value;
}

function isNull(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function warningOf({ key, at }: { readonly key: string; readonly at: Position }, { name }: ServerEntry): string {
  const close = nearest(key, Object.keys(keyNames));
  const why =
    instead[key.split('.').at(-1) ?? ''] ??
    (close === undefined || close === key ? undefined : `did you mean \`${close}\`?`);
  const text = `the key \`${key}\` of server \`${name}\` is not used`;
  return `${at.file}:${at.line}:${at.column}: ${text}${why === undefined ? '' : `: ${why}`}`;
}

class EntryReader {
  private readonly variables: Variables;
  private readonly folder: string;

  constructor(
    private readonly entry: ServerEntry,
    private readonly node: MapNode,
    declared: ReadonlyMap<string, DeclaredInput>,
    private readonly surroundings: ConfigSurroundings,
    private readonly report: ReportProblem,
  ) {
    const { file, env, inputs, readText } = surroundings;
    this.folder = workspaceOf(file);
    const home = env.HOME ?? '';
    this.variables = {
      env,
      editor: {
        inputs,
        declared,
        folders: {
          workspaceFolder: this.folder,
          workspaceRoot: this.folder,
          workspaceFolderBasename: basename(this.folder),
          userHome: home,
          pathSeparator: '/',
          '/': '/',
        },
        readText: (path) => readText(this.pathOf(path)),
      },
    };
  }

  refuse(path: readonly (string | number)[], message: string, hint?: string): void {
    const where = [this.entry.path, ...path].join('.');
    this.report(problemAt(positionOf(this.node, path), 'INVALID_VALUE', where, message, hint));
  }

  /** @param path of the text in the entry; where something is wrong, it is reported there */
  expand(text: string, path: readonly (string | number)[]): string {
    const written = this.entry.bareBraces ? text.replace(/(?<!\$)\{(env|file):([^{}]+)\}/g, '${$1:$2}') : text;
    const expanded = expandVariables(written, this.variables);
    if (expanded.ok) return expanded.text;
    for (const { code, message, hint } of expanded.problems)
      this.report(problemAt(positionOf(this.node, path), code, [this.entry.path, ...path].join('.'), message, hint));
    return '';
  }

  /** Relative paths and `~` in a file are seen from its folder. */
  pathOf(path: string): string {
    const home = this.surroundings.env.HOME;
    const seen = home !== undefined && /^~(?:\/|$)/.test(path) ? `${home}${path.slice(1)}` : path;
    return resolve(this.folder, seen);
  }

  /** What the command gets: named variables of ours, over them `envFile`, over both `env`. */
  environment({ env = {}, envFile = [], envNames = [] }: Canonical): Record<string, string> {
    const forwarded = envNames.flatMap((name, index) => {
      const value = this.surroundings.env[name];
      if (value !== undefined) return [[name, value] as const];
      this.refuse(['envNames', index], `the environment variable ${name} is not set`, `export ${name}=...`);
      return [];
    });
    const files = [envFile].flat().map((file, index) => {
      const path = typeof envFile === 'string' ? ['envFile'] : ['envFile', index];
      const found = this.pathOf(this.expand(file, path));
      const text = this.surroundings.readText(found);
      if (text === undefined) this.refuse(path, `there is no file ${found}`);
      return parseEnv(text ?? '');
    });
    const written = Object.entries(env).map(([name, value]) => [name, this.expand(value, ['env', name])] as const);
    return Object.assign({}, Object.fromEntries(forwarded), ...files, Object.fromEntries(written));
  }

  headers({ headers = {}, envHeaders = {}, bearerEnv }: Canonical): readonly ConfiguredHeader[] {
    const fromEnvironment = (variable: string, path: readonly (string | number)[]): string =>
      this.expand(`\${${variable}}`, path);
    return [
      ...Object.entries(headers).map(([name, value]) => this.header(name, this.expand(value, ['headers', name]))),
      ...Object.entries(envHeaders).map(([name, variable]) =>
        this.header(name, fromEnvironment(variable, ['envHeaders', name]), 'envHeaders'),
      ),
      ...(bearerEnv === undefined
        ? []
        : [
            {
              name: 'Authorization',
              value: `Bearer ${fromEnvironment(bearerEnv, ['bearerEnv'])}`,
              at: positionOf(this.node, ['bearerEnv']),
            },
          ]),
    ];
  }

  private header(name: string, value: string, key = 'headers'): ConfiguredHeader {
    return { name, value, at: positionOf(this.node, [key, name]) };
  }
}

/** The folder of the file; its parent for a file in a folder of an editor, such as `.vscode/mcp.json`. */
function workspaceOf(file: string): string {
  const folder = dirname(file);
  return /^\.\w/.test(basename(folder)) ? dirname(folder) : folder;
}
