import type { Template } from '../../scenarios/schema/grammar/template.js';
import { factsOf } from '../../scenarios/schema/transports.js';
import { argumentsFor } from '../mcp/auto-arguments.js';
import { compileRequest, renderRequest } from '../mcp/compile-request.js';
import { isObject } from '../mcp/json-value.js';
import type { Discovery, DiscoveryOrder, FoundTool } from '../protocol/discovery.js';
import { FIRST_ID } from '../protocol/id-ranges.js';
import { type Negotiation, negotiate } from './negotiate.js';
import { destructiveness, ServerCatalogue } from './server-catalogue.js';
import { DESTRUCTIVE } from './settle-operations.js';

/** Opens one session, reads what the server says of itself and all its lists, and calls nothing. */
export async function discover({ endpoint, transport, era }: DiscoveryOrder): Promise<Discovery> {
  const nothing = { capabilities: {}, tools: [], forbiddenTools: [], resources: [], prompts: [] };
  let negotiation: Negotiation;
  try {
    negotiation = await negotiate(endpoint, era, { transport });
  } catch (error) {
    return { ...nothing, problem: error instanceof Error ? error.message : String(error), exchanges: [] };
  }
  const { session } = negotiation;
  if (!negotiation.ok) return { ...nothing, problem: negotiation.problem, exchanges: session.exchanges };
  const { pinned, serverInfo, introduction } = negotiation;
  const { capabilities, instructions } = introduction;
  const isOverHttp = (factsOf(transport).wireTransport ?? transport) === 'streamable-http';
  const catalogue = new ServerCatalogue(isOverHttp && pinned.era === 'modern');
  const offered = isObject(capabilities) ? capabilities : {};
  let problem: string | undefined;
  try {
    for (const kind of ['tools', 'resources', 'prompts'] as const)
      if (offered[kind] !== undefined) problem ??= await catalogue.fill(session, `${kind}/list`);
  } finally {
    await session.close();
  }
  return {
    ...(problem === undefined ? {} : { problem }),
    pinned,
    ...(serverInfo === undefined ? {} : { serverInfo }),
    capabilities: offered,
    ...(typeof instructions === 'string' ? { instructions } : {}),
    tools: catalogue.all('tools/list').map(foundTool),
    forbiddenTools: [...catalogue.refusedTools].map(([name, why]) => ({ name, why })),
    resources: [...catalogue.all('resources/list')],
    prompts: [...catalogue.all('prompts/list')],
    exchanges: session.exchanges,
  };
}

/** A tool, and whether `arguments: auto` could call it. */
function foundTool(entry: Readonly<Record<string, unknown>>): FoundTool {
  const name = String(entry.name);
  const kind = destructiveness(entry);
  const tool = { name, entry, destructiveness: kind };
  if (kind === 'destructive') return { ...tool, refused: DESTRUCTIVE };
  const generated = argumentsFor(entry.inputSchema ?? { type: 'object' });
  if (!generated.ok) return { ...tool, refused: generated.problem };
  return { ...tool, arguments: exampleOf(generated.template) };
}

/** The arguments of the first call of a load. */
function exampleOf(template: Template): unknown {
  const operation = {
    name: 'example',
    method: 'tools/call',
    params: { kind: 'object', entries: [['arguments', template]] },
    weight: 1,
  } as const;
  const compiled = compileRequest(operation, 0, { era: 'legacy', version: '', sessions: false });
  const request: unknown = JSON.parse(renderRequest(compiled, FIRST_ID, { seed: 1, slot: 0, sequence: 0 }));
  return isObject(request) && isObject(request.params) ? request.params.arguments : undefined;
}
