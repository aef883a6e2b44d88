/** The `mcpServers` file of MCP clients: one of its servers as a target. */
import { z } from 'zod';
import { suggest } from '../../yaml/nearest.js';
import { descend, keyPositionOf, positionOf, type SourceNode } from '../../yaml/node.js';
import { parseYaml } from '../../yaml/parse-yaml.js';
import { problemAt } from '../../yaml/problem.js';
import { checkNode } from '../keys/check-node.js';
import { type Problem, SourcePart } from '../source-part.js';

/** Every client adds keys of its own to these files, so only those that matter here are checked. */
const configSchema = z.object({ mcpServers: z.record(z.string(), z.looseObject({})) });
const serverSchema = z.object({
  type: z.string().optional(),
  url: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
});

/** Names that clients give to Streamable HTTP. */
const httpTypes = ['http', 'streamable-http', 'streamableHttp'];

export interface ConfiguredServer {
  /** This or `command`. */
  readonly url?: string;
  readonly command?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** For profiles that name no transport; undefined: their default. */
  readonly transport: 'sse' | 'stdio' | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The server's entry, for problems that are found later. */
  readonly node: SourceNode;
}

type ServerChoice =
  | { readonly ok: true; readonly server: ConfiguredServer }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** @param name of one of its servers; not needed where there is only one */
export function chooseServer(text: string, file: string, name: string | undefined): ServerChoice {
  const start = { file, line: 1, column: 1 };
  // JSON is YAML, and YAML also allows the trailing commas that clients allow.
  const { node, problems } = parseYaml(text, start);
  if (problems.length > 0) return { ok: false, problems };
  if (node === undefined)
    return failed(
      problemAt(start, 'SYNTAX', '', 'the file is empty', '{ "mcpServers": { "name": { "url": "http://..." } } }'),
    );
  const found: Problem[] = [];
  const config = checkNode(configSchema, new SourcePart(node, '', (problem) => found.push(problem)));
  if (config === undefined) return { ok: false, problems: found };
  const names = Object.keys(config.mcpServers);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined)
    return failed(
      problemAt(
        positionOf(node, ['mcpServers']),
        'MISSING_KEY',
        'mcpServers',
        `the file has ${names.length} servers: choose one`,
        `--server NAME, one of: ${names.join(', ')}`,
      ),
    );
  const entry = descend(node, ['mcpServers', chosen]);
  if (entry === undefined)
    return failed(
      problemAt(
        positionOf(node, ['mcpServers']),
        'NOT_FOUND',
        'mcpServers',
        `the file has no server \`${chosen}\``,
        suggest(chosen, names, 'servers'),
      ),
    );
  return readServer(node, entry, chosen);
}

function readServer(root: SourceNode, entry: SourceNode, name: string): ServerChoice {
  const path = `mcpServers.${name}`;
  const found: Problem[] = [];
  const server = checkNode(serverSchema, new SourcePart(entry, path, (problem) => found.push(problem)));
  if (server === undefined) return { ok: false, problems: found };
  const { type, url, headers = {}, command, args = [], env = {} } = server;
  const at = keyPositionOf(root, ['mcpServers', name]);
  const known = [...httpTypes, 'sse', 'stdio'];
  if (type !== undefined && !known.includes(type)) {
    return failed(
      problemAt(
        positionOf(entry, ['type']),
        'INVALID_VALUE',
        `${path}.type`,
        `\`${type}\` is not a known transport`,
        `types: ${known.join(', ')}`,
      ),
    );
  }
  if (command !== undefined && (type === undefined || type === 'stdio')) {
    return { ok: true, server: { command: [command, ...args], env, headers: {}, transport: 'stdio', node: entry } };
  }
  if (url === undefined || type === 'stdio') {
    const missing = type === 'stdio' ? 'command' : 'url';
    return failed(problemAt(at, 'MISSING_KEY', `${path}.${missing}`, `server \`${name}\` has no ${missing}`));
  }
  return { ok: true, server: { url, env: {}, headers, transport: type === 'sse' ? 'sse' : undefined, node: entry } };
}

function failed(problem: Problem): ServerChoice {
  return { ok: false, problems: [problem] };
}
