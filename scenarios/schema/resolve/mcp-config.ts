/** The `mcpServers` file of MCP clients: one server of it as a target. */
import { z } from 'zod';
import { suggest } from '../../yaml/nearest.js';
import { descend, keyPositionOf, positionOf, type SourceNode } from '../../yaml/node.js';
import { parseYaml } from '../../yaml/parse-yaml.js';
import { problemAt } from '../../yaml/problem.js';
import { checkNode } from '../keys/check-node.js';
import type { Problem } from '../source-part.js';

/** Every client adds keys of its own to these files, so only the keys that matter here are looked at. */
const configSchema = z.object({ mcpServers: z.record(z.string(), z.looseObject({})) });
const serverSchema = z.object({
  type: z.string().optional(),
  url: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
});

export interface ConfiguredServer {
  /** This or `command`. */
  readonly url?: string;
  readonly command?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How it is reached, for profiles that do not say; undefined: as they do by default. */
  readonly transport: 'sse' | 'stdio' | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The server's entry, for problems found later. */
  readonly node: SourceNode;
}

type ServerChoice =
  | { readonly ok: true; readonly server: ConfiguredServer }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** @param name which of its servers; may be left out where there is only one */
export function chooseServer(text: string, file: string, name: string | undefined): ServerChoice {
  // JSON is YAML, and so comments and trailing commas, which clients allow, are read too.
  const { node, problems } = parseYaml(text, { file, line: 1, column: 1 });
  if (problems.length > 0) return { ok: false, problems };
  const start = { file, line: 1, column: 1 };
  if (node === undefined)
    return failed(
      problemAt(start, 'SYNTAX', '', 'the file is empty', '{ "mcpServers": { "name": { "url": "http://..." } } }'),
    );
  const config = checkNode(configSchema, node, '');
  if (!config.ok) return { ok: false, problems: config.problems };
  const names = Object.keys(config.value.mcpServers);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined)
    return failed(
      problemAt(
        positionOf(node, ['mcpServers']),
        'MISSING_KEY',
        'mcpServers',
        `the file has ${names.length} servers: say which`,
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
  const checked = checkNode(serverSchema, entry, path);
  if (!checked.ok) return { ok: false, problems: checked.problems };
  const { type, url, headers = {}, command, args = [], env = {} } = checked.value;
  const at = keyPositionOf(root, ['mcpServers', name]);
  const known = [...httpTypes, 'sse', 'stdio'];
  if (type !== undefined && !known.includes(type)) {
    return failed(
      problemAt(
        positionOf(entry, ['type']),
        'INVALID_VALUE',
        `${path}.type`,
        `\`${type}\` is no transport that is known here`,
        `types: ${known.join(', ')}`,
      ),
    );
  }
  if (command !== undefined && (type === undefined || type === 'stdio')) {
    return { ok: true, server: { command: [command, ...args], env, headers: {}, transport: 'stdio', node: entry } };
  }
  if (url === undefined || type === 'stdio') {
    const wanted = type === 'stdio' ? 'command' : 'url';
    return failed(problemAt(at, 'MISSING_KEY', `${path}.${wanted}`, `server \`${name}\` has no ${wanted}`));
  }
  return { ok: true, server: { url, env: {}, headers, transport: type === 'sse' ? 'sse' : undefined, node: entry } };
}

/** What clients call it. */
const httpTypes = ['http', 'streamable-http', 'streamableHttp'];

function failed(problem: Problem): ServerChoice {
  return { ok: false, problems: [problem] };
}
