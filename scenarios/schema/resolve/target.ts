import { descend, keyPositionOf, type MapNode, positionOf } from '../../yaml/node.js';
import { type Position, problemAt } from '../../yaml/problem.js';
import { MAX_REPLICAS } from '../keys/fields.js';
import type { TargetSource } from '../keys/scenario-schema.js';
import { CHEAP_CONNECTIONS, connectionsIn } from '../offered-load.js';
import type { Era, ProfilePlan, ServerCommand, TargetPlan } from '../plan.js';
import type { ReportProblem } from '../source-part.js';
import { resolveTokens } from './auth.js';
import { checkHeader, type Environment, expandVariables, type HeaderProblem, splitHeader } from './headers.js';
import type { ConfiguredServer } from './mcp-config.js';
import type { SecretOptions, SecretSource } from './secret-files.js';
import { checkUrl, type WrittenUrl } from './target-url.js';
import { refuseIdleTls, resolveTls } from './tls.js';

/** Where the load goes: named by the scenario, by `--target`, or by an `mcpServers` file. */

export interface TargetRequest {
  /** `--target`, in place of the scenario's server. */
  readonly targets: readonly string[];
  /** `--header 'Name: value'`, over the headers of scenario or file. */
  readonly headers: readonly string[];
  /** `--config FILE --server NAME`. */
  readonly configured: ConfiguredServer | undefined;
  /** `--allow-target HOST`. */
  readonly allowTargets: readonly string[];
  readonly era: Era | undefined;
  readonly env: Environment;
  readonly secrets: SecretSource;
}

/** @param node the scenario, for places; @returns undefined when something is wrong, all of which is reported */
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
  const era = request.era ?? source?.era ?? 'auto';
  const headers = collectHeaders(source, node, request, refuse);
  const started = collectCommand(source, node, request, refuse);
  if (started !== undefined) {
    refuseBesideCommand(source, node, request, headers, refuse);
    return wrong ? undefined : { kind: 'command', server: started, era };
  }
  const urls = collectUrls(source, node, request);
  if (urls === undefined) {
    if (Object.keys(headers).length > 0) {
      const at = source?.headers === undefined ? commandLine('--header') : keyPositionOf(node, ['target', 'headers']);
      refuse(
        problemAt(
          at,
          'CONFLICT',
          'target.headers',
          'headers go with a url',
          'use server: { url: ... } or --target URL',
        ),
      );
    }
    refuseForUrlsOnly(node, request.secrets, refuse);
    if (wrong) return undefined;
    const started = {
      replicas: typeof source?.replicas === 'number' ? source.replicas : 1,
      sticky: source?.gateway?.sticky ?? 'session',
      era,
    };
    if (typeof source?.server === 'object') return imageTarget(source.server, node, started, refuse);
    return { kind: source?.server === 'sink' ? 'sink' : 'reference', ...started };
  }
  refuseIdleImage(source, node, isFromCommandLine(request), refuse, warn);
  checkUnused(source, node, request, refuse, warn);
  const checked = urls.flatMap((url) => checkUrl(url, request.allowTargets, refuse) ?? []);
  const { secrets, env } = request;
  refuseIdleTls(
    node,
    secrets,
    urls.map(({ text }) => text),
    isFromCommandLine(request),
    refuse,
    warn,
  );
  const tls = usesTls(checked) ? resolveTls(source?.tls, node, secrets, refuse, warn) : undefined;
  const tokens = resolveTokens(source?.auth, node, { secrets, env, headers, refuse });
  return wrong
    ? undefined
    : {
        kind: 'url',
        urls: checked,
        headers,
        ...(tls === undefined ? {} : { tls }),
        ...(tokens === undefined ? {} : { tokens }),
        era,
      };
}

type Server = Exclude<TargetSource['server'], string>;
type Image = Extract<TargetPlan, { readonly kind: 'image' }>;

/** Other keys of a server are refused by name already. */
function imageTarget(
  { image, port = 3000, path = '/mcp', command }: Server,
  node: MapNode,
  started: Pick<Image, 'replicas' | 'sticky' | 'era'>,
  refuse: ReportProblem,
): Image | undefined {
  if (image !== undefined) return { kind: 'image', image, port, path, ...started };
  if (command === undefined) {
    refuse(
      problemAt(
        positionOf(node, ['target', 'server']),
        'MISSING_KEY',
        'target.server',
        'the server has neither url nor image',
        'reference, sink, { url: http://localhost:3000/mcp } or { image: my/server:1, port: 3000 }',
      ),
    );
  }
  return undefined;
}

/** An image, its port and its path beside a url. */
function refuseIdleImage(
  source: TargetSource | undefined,
  node: MapNode,
  fromCommandLine: boolean,
  refuse: ReportProblem,
  warn: (warning: string) => void,
): void {
  const { server } = source ?? {};
  if (typeof server !== 'object') return;
  for (const key of ['image', 'port', 'path'] as const) {
    if (server[key] === undefined) continue;
    if (fromCommandLine)
      warn(`target.server.${key} of the scenario is not used: the server was named on the command line`);
    else
      refuse(
        problemAt(
          keyPositionOf(node, ['target', 'server', key]),
          'CONFLICT',
          `target.server.${key}`,
          `\`${key}\` does not go with \`url\``,
          'a server is one or the other; a url holds its own port and path',
        ),
      );
  }
}

export function isFromCommandLine({ targets, configured }: TargetRequest): boolean {
  return targets.length > 0 || configured !== undefined;
}

function usesTls(urls: readonly string[]): boolean {
  return urls.some((url) => /^(?:https|wss):/.test(url));
}

/** Certificates and tokens for a server of our own, which wants neither. */
function refuseForUrlsOnly(node: MapNode, secrets: SecretSource, refuse: ReportProblem): void {
  const given =
    secrets.from === 'files'
      ? Object.entries(secrets.options)
          .filter(([, value]) => value !== undefined && value !== false)
          .map(([name]) => name)
      : [];
  for (const name of given) {
    const option = OPTIONS[name as keyof SecretOptions];
    refuse(
      problemAt(
        commandLine(option),
        'CONFLICT',
        'target',
        `${option} goes with a url`,
        'use server: { url: ... } or --target URL',
      ),
    );
  }
  for (const key of ['tls', 'auth'] as const) {
    if (descend(node, ['target', key]) !== undefined)
      refuse(
        problemAt(
          keyPositionOf(node, ['target', key]),
          'CONFLICT',
          `target.${key}`,
          `\`${key}\` goes with a url`,
          'use server: { url: ... } or --target URL',
        ),
      );
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

/** Of our environment a server gets what a shell would give it; tokens, for example, are not its business. */
const INHERITED = ['HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'USER'];

/** Undefined: the target is no command. */
function collectCommand(
  source: TargetSource | undefined,
  node: MapNode,
  { targets, configured, env, secrets }: TargetRequest,
  refuse: ReportProblem,
): ServerCommand | undefined {
  const inherited = Object.fromEntries(
    INHERITED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  const expanded = (
    variables: Readonly<Record<string, string>>,
    at: (name: string) => Position,
  ): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(variables).map(([name, value]) => {
        const found = expandVariables(value, env);
        if (!found.ok)
          refuse(
            problemAt(
              at(name),
              found.problem.code,
              `target.server.env.${name}`,
              found.problem.message,
              found.problem.hint,
            ),
          );
        return [name, found.ok ? found.text : ''];
      }),
    );
  if (configured !== undefined) {
    if (configured.command === undefined) return undefined;
    return {
      command: configured.command,
      env: expanded(configured.env, (name) => positionOf(configured.node, ['env', name])),
      inherited,
    };
  }
  const server = typeof source?.server === 'object' ? source.server : undefined;
  if (targets.length > 0 || server === undefined) return undefined;
  const { command, url } = server;
  if (command === undefined) {
    if (server.env !== undefined)
      refuse(
        problemAt(
          keyPositionOf(node, ['target', 'server', 'env']),
          'CONFLICT',
          'target.server.env',
          '`env` goes with a `command`',
          'take it out',
        ),
      );
    return undefined;
  }
  if (url !== undefined)
    refuse(
      problemAt(
        keyPositionOf(node, ['target', 'server', 'command']),
        'CONFLICT',
        'target.server.command',
        'the server has a url and a command',
        'take one of them out',
      ),
    );
  if (secrets.from === 'request') {
    refuse(
      problemAt(
        keyPositionOf(node, ['target', 'server', 'command']),
        'CONFLICT',
        'target.server.command',
        'a command is started by the command line of the machine it is for, never by a controller that was asked to',
        'swarmbench run SCENARIO, on that machine',
      ),
    );
  }
  return {
    command,
    env: expanded(server.env ?? {}, (name) => positionOf(node, ['target', 'server', 'env', name])),
    inherited,
  };
}

/** What says how a server is reached, or how many of ours there are, says nothing of one that each session starts. */
function refuseBesideCommand(
  source: TargetSource | undefined,
  node: MapNode,
  { secrets, configured }: TargetRequest,
  headers: Readonly<Record<string, string>>,
  refuse: ReportProblem,
): void {
  if (Object.keys(headers).length > 0)
    refuse(
      problemAt(
        source?.headers === undefined ? commandLine('--header') : keyPositionOf(node, ['target', 'headers']),
        'CONFLICT',
        'target.headers',
        'headers go with a url',
        'a command takes what is secret from its environment: target.server.env',
      ),
    );
  if (configured === undefined) {
    for (const key of ['replicas', 'gateway'] as const) {
      if (source?.[key] !== undefined)
        refuse(
          problemAt(
            keyPositionOf(node, ['target', key]),
            'CONFLICT',
            `target.${key}`,
            `\`${key}\` is for servers that swarmbench starts once, not for one that each session starts`,
            'take it out',
          ),
        );
    }
  }
  refuseForUrlsOnly(node, secrets, refuse);
}

/** Undefined: one of our own servers. */
function collectUrls(
  source: TargetSource | undefined,
  node: MapNode,
  request: TargetRequest,
): readonly WrittenUrl[] | undefined {
  const { targets, configured } = request;
  if (configured?.url !== undefined)
    return [{ text: configured.url, at: positionOf(configured.node, ['url']), path: 'url' }];
  if (targets.length > 0)
    return targets.map((text) => ({ text, at: commandLine('--target'), path: 'target.server.url' }));
  const url = typeof source?.server === 'object' ? source.server.url : undefined;
  if (url === undefined) return undefined;
  const path = ['target', 'server', 'url'];
  if (typeof url === 'string') return [{ text: url, at: positionOf(node, path), path: 'target.server.url' }];
  return url.map((text, index) => ({ text, at: positionOf(node, [...path, index]), path: 'target.server.url' }));
}

/**
 * Replicas and gateway are for servers we start: wrong beside a url in the file, left aside when a url is given by
 * hand.
 */
function checkUnused(
  source: TargetSource | undefined,
  node: MapNode,
  request: TargetRequest,
  refuse: ReportProblem,
  warn: (warning: string) => void,
): void {
  const fromCommandLine = isFromCommandLine(request);
  for (const key of ['replicas', 'gateway'] as const) {
    if (source?.[key] === undefined) continue;
    if (fromCommandLine) warn(`target.${key} of the scenario is not used: the server was named on the command line`);
    else
      refuse(
        problemAt(
          keyPositionOf(node, ['target', key]),
          'CONFLICT',
          `target.${key}`,
          `\`${key}\` is for servers that swarmbench starts, not for a url`,
          'take it out',
        ),
      );
  }
}

/** Later ones win: scenario or file, then command line. Names are compared without case. */
function collectHeaders(
  source: TargetSource | undefined,
  node: MapNode,
  request: TargetRequest,
  refuse: ReportProblem,
): Readonly<Record<string, string>> {
  const headers = new Map<string, readonly [string, string]>();
  const add = (name: string, value: string, at: Position) => {
    const expanded = expandVariables(value, request.env);
    const problem: HeaderProblem | undefined = expanded.ok ? checkHeader(name, expanded.text) : expanded.problem;
    if (problem !== undefined)
      refuse(problemAt(at, problem.code, `target.headers.${name}`, problem.message, problem.hint));
    else if (expanded.ok) headers.set(name.toLowerCase(), [name, expanded.text]);
  };
  const { configured } = request;
  if (configured === undefined) {
    for (const [name, value] of Object.entries(source?.headers ?? {}))
      add(name, value, positionOf(node, ['target', 'headers', name]));
  } else {
    for (const [name, value] of Object.entries(configured.headers))
      add(name, value, positionOf(configured.node, ['headers', name]));
  }
  for (const written of request.headers) {
    const split = splitHeader(written);
    if (split === undefined)
      refuse(problemAt(commandLine('--header'), 'SYNTAX', 'target.headers', 'a header is written as "Name: value"'));
    else add(split[0], split[1], commandLine('--header'));
  }
  return Object.fromEntries(headers.values());
}

function commandLine(option: string): Position {
  return { file: option, line: 1, column: 1 };
}

/** `replicas: auto` counted out, now that the profiles are known. */
export function withReplicas(
  target: TargetPlan,
  requested: number | 'auto' | undefined,
  profiles: readonly ProfilePlan[],
): TargetPlan {
  if (requested !== 'auto' || !('replicas' in target)) return target;
  return {
    ...target,
    replicas: Math.max(1, Math.min(MAX_REPLICAS, Math.ceil(connectionsIn(profiles) / CHEAP_CONNECTIONS))),
  };
}
