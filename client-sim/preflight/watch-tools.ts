import { setTimeout as sleep } from 'node:timers/promises';
import type { ToolsSeen, WatchOrder } from '../protocol/watch-order.js';
import { negotiate } from './negotiate.js';
import { ServerCatalogue } from './server-catalogue.js';

/** The name of a tool of a server behind the gateway, also with other signs between its parts. */
const MADE = /upstream[^a-z0-9]*(\d+)[^a-z0-9]*tool[^a-z0-9]*(\d+)/gi;
const PAUSE_MS = 50;
/** A look names this many of the tools that are missing. */
const MOST_NAMED = 10;

/**
 * Looks at a gateway again and again, each time in a new session, until it lists all awaited tools.
 * @param tell gets every look; the last one misses nothing
 */
export async function watchTools(order: WatchOrder, tell: (seen: ToolsSeen) => void): Promise<void> {
  while (true) {
    const seen = await look(order);
    tell(seen);
    if (seen.missing === 0) return;
    await sleep(PAUSE_MS);
  }
}

async function look({ endpoint, transport, era, servers }: WatchOrder): Promise<ToolsSeen> {
  let names: readonly string[] = [];
  let problem: string | undefined;
  let listMs = 0;
  let atMs: number | undefined;
  try {
    const negotiation = await negotiate(endpoint, era, { transport });
    const { session } = negotiation;
    if (negotiation.ok) {
      const catalogue = new ServerCatalogue(false);
      const began = performance.now();
      problem = await catalogue.fill(session, 'tools/list');
      listMs = performance.now() - began;
      atMs = performance.timeOrigin + performance.now();
      names = catalogue.names('tools/list');
      await session.close();
    } else problem = negotiation.problem;
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  const missing = missingTools(names, servers);
  return {
    atMs: atMs ?? performance.timeOrigin + performance.now(),
    listMs,
    listed: names.length,
    awaited: servers.reduce((sum, { tools }) => sum + tools, 0),
    missing: missing.length,
    firstMissing: missing.slice(0, MOST_NAMED),
    ...(problem === undefined ? {} : { problem }),
  };
}

/**
 * The tools of the servers that are not among the names. A gateway may put something before or after a name, such as
 * that of the server, and may replace signs.
 */
export function missingTools(names: readonly string[], servers: WatchOrder['servers']): readonly string[] {
  const found = new Set(
    names.flatMap((name) =>
      [...name.matchAll(MADE)].map(([, server = '', tool = '']) => `upstream${server}_tool_${tool}`),
    ),
  );
  return servers.flatMap(({ name, tools }) =>
    Array.from({ length: tools }, (_, index) => `${name}_tool_${index + 1}`).filter((tool) => !found.has(tool)),
  );
}
