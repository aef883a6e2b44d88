import { setTimeout as sleep } from 'node:timers/promises';
import { type CallContext, type Tool, type ToolListing, type ToolResult, UnknownName } from './contract.js';
import { dataTools } from './data-tools.js';
import { type MadeTools, makeTools } from './made-tools.js';
import { getPrompt, type PromptText } from './prompts.js';
import { SeededSequences } from './random.js';
import { listResources, type ResourceListing, type ResourceText, readResource } from './resources.js';
import { timingTools } from './timing-tools.js';
import { Topics } from './topics.js';

/** How a server differs from the usual one. */
export interface CatalogueOptions {
  /** In place of the usual tools. */
  readonly made?: MadeTools | undefined;
  /** How many tools a page of `tools/list` has; undefined: all. */
  readonly pageSize?: number | undefined;
  /** By tool: how much later than usual it answers. Milliseconds. */
  readonly delays?: ReadonlyMap<string, number> | undefined;
}

interface ToolPage {
  readonly tools: ToolListing[];
  readonly nextCursor?: string;
}

/** Everything one server offers; shared by all its sessions and both eras. */
export class Catalogue {
  readonly topics = new Topics();
  private readonly tools: readonly ToolListing[];
  private readonly byName: ReadonlyMap<string, Tool>;

  /** @param resetCounters called by the `reset_counters` tool, which also restarts the seeded sequences */
  constructor(
    seed: number,
    resetCounters: () => void,
    private readonly options: CatalogueOptions = {},
  ) {
    const sequences = new SeededSequences();
    const usual = [
      ...dataTools(sequences, seed, this.topics, () => {
        sequences.reset();
        this.topics.reset();
        resetCounters();
      }),
      ...timingTools(sequences, seed),
    ];
    const tools = options.made === undefined ? usual : makeTools(options.made);
    this.tools = tools.map((tool) => tool.listing);
    this.byName = new Map(tools.map((tool) => [tool.listing.name, tool]));
  }

  /** @throws UnknownName for an unknown tool */
  call(name: string, rawArguments: unknown, context: CallContext): ToolResult | Promise<ToolResult> {
    const tool = this.byName.get(name);
    if (tool === undefined) throw new UnknownName('Tool', name);
    const delayMs = this.options.delays?.get(name);
    if (delayMs === undefined) return tool.call(rawArguments, context);
    return sleep(delayMs, undefined, { signal: context.signal }).then(() => tool.call(rawArguments, context));
  }

  /** @param cursor `nextCursor` of the page before; undefined: the first page. @throws WrongCursor */
  listTools(cursor: string | undefined): ToolPage {
    const { pageSize = this.tools.length } = this.options;
    const from = cursor === undefined ? 0 : Number(cursor);
    if (!Number.isInteger(from) || from < 0 || (from > 0 && from >= this.tools.length))
      throw new WrongCursor(cursor ?? '');
    const next = from + pageSize;
    const tools = this.tools.slice(from, next);
    return next < this.tools.length ? { tools, nextCursor: String(next) } : { tools };
  }

  has(tool: string): boolean {
    return this.byName.has(tool);
  }

  resources(): readonly ResourceListing[] {
    return listResources(this.topics);
  }

  read(uri: string): ResourceText {
    return readResource(uri, this.topics);
  }

  prompt(name: string, given: Readonly<Record<string, string>>): PromptText {
    return getPrompt(name, given);
  }
}

/** Both SDKs make a JSON-RPC error of an error with a numeric `code`. */
class WrongCursor extends Error {
  readonly code = -32602;

  constructor(cursor: string) {
    super(`there is no page at cursor ${cursor}`);
  }
}
