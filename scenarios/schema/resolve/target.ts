/** The target of the load: named by the scenario, by `--target`, or by the file of an MCP client. */
import { isDeepStrictEqual } from 'node:util';
import { descend, keyPositionOf, type MapNode, type Path, positionOf } from '../../yaml/node.js';
import { type Position, problemAt } from '../../yaml/problem.js';
import type { ConfiguredServer } from '../client-config/server-entry.js';
import { type Environment, expandVariables } from '../grammar/variables.js';
import { MAX_REPLICAS } from '../keys/fields.js';
import type { TargetSource } from '../keys/scenario-schema.js';
import { CHEAP_CONNECTIONS, connectionsIn } from '../offered-load.js';
import type { Era, ProfilePlan, ServerCommand, TargetPlan } from '../plan.js';
import { type ProblemCode, positionOfOption, type ReportProblem } from '../source-part.js';
import { resolveTokens } from './auth.js';
import { checkHeader, type HeaderProblem, splitHeader } from './headers.js';
import type { SecretOptions, SecretSource } from './secret-files.js';
import { checkUrl, type WrittenUrl } from './target-url.js';
import { refuseUnusedTls, resolveTls } from './tls.js';

export interface TargetRequest {
  /** `--target`, in place of the scenario's server. */
  readonly targets: readonly string[];
  /** The option that they come from; default `--target`. */
  readonly targetOption?: string;
  /** `--header 'Name: value'`, over the headers of the scenario or the file. */
  readonly headers: readonly string[];
  /** `--config FILE --server NAME`. */
  readonly configured: ConfiguredServer | undefined;
  /** `--allow-target HOST`. */
  readonly allowTargets: readonly string[];
  readonly era: Era | undefined;
  readonly env: Environment;
  readonly secrets: SecretSource;
}

/** The target as written, and where to report what is wrong with it. */
interface Written {
  readonly source: TargetSource | undefined;
  /** The scenario, for places in it. */
  readonly node: MapNode;
  readonly request: TargetRequest;
  readonly refuse: ReportProblem;
}

/**
 * @param node the scenario, for places in it
 * @returns undefined when something is wrong, which is reported
 */
export function resolveTarget(
  source: TargetSource | undefined,
  node: MapNode,
  request: TargetRequest,
  report: ReportProblem,
  warn: (warning: string) => void,
): TargetPlan | undefined {
  let wrong = false;
  const refuse: ReportProblem = (problem) => {
    wrong = true;
    report(problem);
  };
  const written: Written = { source, node, request, refuse };
  const kind = kindOfTarget(source, request);
  checkKeys(kind, written, warn);
  checkOptions(kind, written);
  request.configured?.warnings.forEach(warn);
  const target = planOf(kind, written, warn);
  return wrong ? undefined : target;
}

export function isFromCommandLine({ targets, configured }: TargetRequest): boolean {
  return targets.length > 0 || configured !== undefined;
}

/** Resolves `replicas: auto`, now that the profiles are known. */
export function withReplicas(
  target: TargetPlan,
  requested: number | 'auto' | undefined,
  profiles: readonly ProfilePlan[],
): TargetPlan {
  if (requested !== 'auto' || !('replicas' in target)) return target;
  const wanted = Math.ceil(connectionsIn(profiles) / CHEAP_CONNECTIONS);
  return { ...target, replicas: Math.max(1, Math.min(MAX_REPLICAS, wanted)) };
}

type Kind = 'own' | 'image' | 'url' | 'command';

function kindOfTarget(source: TargetSource | undefined, { targets, configured }: TargetRequest): Kind {
  if (configured !== undefined) return configured.command === undefined ? 'url' : 'command';
  if (targets.length > 0) return 'url';
  const server = source?.server;
  if (typeof server !== 'object') return 'own';
  if (server.command !== undefined) return 'command';
  return server.url === undefined ? 'image' : 'url';
}

const USE_URL = 'use server: { url: ... } or --target URL';

interface KeyRule {
  readonly path: Path;
  readonly takenBy: readonly Kind[];
  /** The kinds that take it, in words. */
  readonly isFor: string;
  readonly hint: string;
  /** It describes the scenario's own server, and so means nothing when the command line names another one. */
  readonly ofServer: boolean;
  /** Whether it says anything, where being there is not enough. */
  readonly says?: (source: TargetSource, request: TargetRequest) => boolean;
}

type Takers = Omit<KeyRule, 'path'>;

const started: Takers = {
  takenBy: ['own', 'image'],
  isFor: 'servers that swarmbench starts',
  hint: 'remove it',
  ofServer: true,
};
const ofImage: Takers = { takenBy: ['image'], isFor: 'a server in a container', hint: 'remove it', ofServer: true };
const ofCommand: Takers = { takenBy: ['command'], isFor: 'a command', hint: 'remove it', ofServer: true };
const ofUrl: Takers = { takenBy: ['url'], isFor: 'a url', hint: USE_URL, ofServer: false };

/** Keys that not every kind of target takes. */
const keyRules: readonly KeyRule[] = [
  { path: ['target', 'replicas'], ...started },
  { path: ['target', 'gateway'], ...started },
  // With --config, the headers are those of its file.
  {
    path: ['target', 'headers'],
    ...ofUrl,
    says: ({ headers = {} }, { configured }) => configured === undefined && Object.keys(headers).length > 0,
  },
  { path: ['target', 'tls'], ...ofUrl },
  { path: ['target', 'auth'], ...ofUrl },
  { path: ['target', 'startTimeout'], ...ofCommand, ofServer: false },
  { path: ['target', 'server', 'image'], ...ofImage },
  { path: ['target', 'server', 'port'], ...ofImage },
  { path: ['target', 'server', 'path'], ...ofImage },
  { path: ['target', 'server', 'env'], ...ofCommand },
];

function checkKeys(kind: Kind, { source, node, request, refuse }: Written, warn: (warning: string) => void): void {
  if (source === undefined) return;
  const names = { own: `\`${String(source.server)}\``, image: 'an image', url: 'a url', command: 'a command' };
  for (const { path, takenBy, isFor, hint, ofServer, says } of keyRules) {
    if (takenBy.includes(kind) || descend(node, path) === undefined) continue;
    if (says !== undefined && !says(source, request)) continue;
    if (ofServer && isFromCommandLine(request)) {
      warn(`${path.join('.')} of the scenario is not used, because the command line names the server`);
      continue;
    }
    const message = `\`${String(path.at(-1))}\` is for ${isFor}, not for ${names[kind]}`;
    refuse(problemAt(keyPositionOf(node, path), 'CONFLICT', path.join('.'), message, hint));
  }
}

const OPTIONS = {
  ca: '--tls-ca',
  cert: '--tls-cert',
  key: '--tls-key',
  insecure: '--insecure',
  tokenFile: '--auth-token-file',
  tokenEnv: '--auth-token-env',
} as const satisfies Record<keyof SecretOptions, string>;

/** Headers, certificates and tokens on the command line are for URLs only. */
function checkOptions(kind: Kind, { request, refuse }: Written): void {
  if (kind === 'url') return;
  const { secrets, headers } = request;
  const options = secrets.from === 'files' ? secrets.options : {};
  const given = (Object.keys(OPTIONS) as (keyof SecretOptions)[])
    .filter((name) => options[name] !== undefined && options[name] !== false)
    .map((name) => OPTIONS[name]);
  for (const option of headers.length > 0 ? ['--header', ...given] : given)
    refuse(
      problemAt(
        positionOfOption(option),
        'CONFLICT',
        option === '--header' ? 'target.headers' : 'target',
        `${option} is for a url`,
        kind === 'command' ? 'a command takes its secrets from its environment: target.server.env' : USE_URL,
      ),
    );
}

function planOf(kind: Kind, written: Written, warn: (warning: string) => void): TargetPlan | undefined {
  const { source, node, request, refuse } = written;
  const era = request.era ?? source?.era ?? 'auto';
  const own = {
    replicas: typeof source?.replicas === 'number' ? source.replicas : 1,
    sticky: source?.gateway?.sticky ?? 'session',
    era,
  } as const;
  const server = typeof source?.server === 'object' ? source.server : {};
  switch (kind) {
    case 'own':
      return { kind: source?.server === 'sink' ? 'sink' : 'reference', ...own };
    case 'image': {
      const { image, port = 3000, path = '/mcp' } = server;
      if (image !== undefined) return { kind, image, port, path, ...own };
      refuse(
        problemAt(
          positionOf(node, ['target', 'server']),
          'MISSING_KEY',
          'target.server',
          'the server has no url, image or command',
          'reference, sink, { url: http://localhost:3000/mcp } or { image: my/server:1, port: 3000 }',
        ),
      );
      return undefined;
    }
    case 'command': {
      const command = commandOf(written);
      return command === undefined ? undefined : { kind, server: command, era };
    }
    case 'url':
      return { kind, ...urlTarget(written, warn), era };
  }
}

function urlTarget(
  written: Written,
  warn: (warning: string) => void,
): Omit<Extract<TargetPlan, { kind: 'url' }>, 'kind' | 'era'> {
  const { source, node, request, refuse } = written;
  const { secrets, env, allowTargets } = request;
  const headers = collectHeaders(written);
  const writtenUrls = collectUrls(written);
  const urls = writtenUrls.flatMap((url) => checkUrl(url, allowTargets, refuse) ?? []);
  const texts = writtenUrls.map(({ text }) => text);
  refuseUnusedTls(node, secrets, texts, isFromCommandLine(request), refuse, warn);
  const usesTls = urls.some((url) => /^(?:https|wss):/.test(url));
  const tls = usesTls ? resolveTls(source?.tls, node, secrets, refuse, warn) : undefined;
  const tokens = resolveTokens(source?.auth, node, { secrets, env, headers, refuse });
  return { urls, headers, ...(tls === undefined ? {} : { tls }), ...(tokens === undefined ? {} : { tokens }) };
}

function collectUrls({ source, node, request }: Written): readonly WrittenUrl[] {
  const { targets, configured, targetOption = '--target' } = request;
  if (configured?.url !== undefined) return [{ ...configured.url, path: 'url' }];
  const key = 'target.server.url';
  if (targets.length > 0) return targets.map((text) => ({ text, at: positionOfOption(targetOption), path: key }));
  const url = typeof source?.server === 'object' ? source.server.url : undefined;
  const path = ['target', 'server', 'url'];
  if (url === undefined) return [];
  if (typeof url === 'string') return [{ text: url, at: positionOf(node, path), path: key }];
  return url.map((text, index) => ({ text, at: positionOf(node, [...path, index]), path: key }));
}

/** Later ones win: the scenario or the file, then the command line. Names are compared without case. */
function collectHeaders({ source, node, request, refuse }: Written): Readonly<Record<string, string>> {
  const headers = new Map<string, readonly [string, string]>();
  const refuseHeader = (name: string, at: Position, { code, message, hint }: HeaderProblem) =>
    refuse(problemAt(at, code, `target.headers.${name}`, message, hint));
  const addExpanded = (name: string, value: string, at: Position) => {
    const problem = checkHeader(name, value);
    if (problem === undefined) headers.set(name.toLowerCase(), [name, value]);
    else refuseHeader(name, at, problem);
  };
  const add = (name: string, value: string, at: Position) => {
    const expanded = expandVariables(value, { env: request.env });
    if (expanded.ok) addExpanded(name, expanded.text, at);
    else for (const problem of expanded.problems) refuseHeader(name, at, problem);
  };
  const { configured } = request;
  if (configured === undefined) {
    for (const [name, value] of Object.entries(source?.headers ?? {}))
      add(name, value, positionOf(node, ['target', 'headers', name]));
  } else {
    for (const { name, value, at } of configured.headers) addExpanded(name, value, at);
  }
  const option = positionOfOption('--header');
  for (const written of request.headers) {
    const split = splitHeader(written);
    if (split === undefined)
      refuse(problemAt(option, 'SYNTAX', 'target.headers', 'a header is written as "Name: value"'));
    else add(split[0], split[1], option);
  }
  return Object.fromEntries(headers.values());
}

/** A package that is downloaded first (npx) takes 40 s. */
const START_TIMEOUT_MS = 60_000;

/** The variables of our own environment that a server gets, as from a shell. It must not see others, such as tokens. */
const INHERITED = ['HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'USER'];

function commandOf({ source, node, request, refuse }: Written): ServerCommand | undefined {
  const { configured, env, secrets } = request;
  const startTimeoutMs = source?.startTimeout ?? START_TIMEOUT_MS;
  const inherited = Object.fromEntries(
    INHERITED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  const expand = (variables: Readonly<Record<string, string>>, at: (name: string) => Position) =>
    Object.fromEntries(
      Object.entries(variables).map(([name, value]) => {
        const expanded = expandVariables(value, { env });
        if (expanded.ok) return [name, expanded.text];
        for (const { code, message, hint } of expanded.problems)
          refuse(problemAt(at(name), code, `target.server.env.${name}`, message, hint));
        return [name, ''];
      }),
    );
  if (configured?.command !== undefined) {
    const { command, writtenCommand, cwd } = configured;
    return {
      command,
      env: configured.env,
      inherited,
      ...(cwd === undefined ? {} : { cwd }),
      ...(writtenCommand === undefined || isDeepStrictEqual(command, writtenCommand) ? {} : { writtenCommand }),
      startTimeoutMs,
    };
  }
  const server = typeof source?.server === 'object' ? source.server : {};
  if (server.command === undefined) return undefined;
  const refuseCommand = (code: ProblemCode, message: string, hint: string) =>
    refuse(
      problemAt(keyPositionOf(node, ['target', 'server', 'command']), code, 'target.server.command', message, hint),
    );
  if (server.url !== undefined) refuseCommand('CONFLICT', 'the server has a url and a command', 'remove one of them');
  if (secrets.from === 'request')
    refuseCommand(
      'CONFLICT',
      'a controller starts no commands: only the command line of the machine itself does',
      'swarmbench run SCENARIO, on that machine',
    );
  return {
    command: server.command,
    env: expand(server.env ?? {}, (name) => positionOf(node, ['target', 'server', 'env', name])),
    inherited,
    startTimeoutMs,
  };
}
