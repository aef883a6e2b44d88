import { type CallContext, type Tool, type ToolListing, type ToolResult, UnknownName } from './contract.js';
import { dataTools } from './data-tools.js';
import { getPrompt, type PromptText } from './prompts.js';
import { SeededSequences } from './random.js';
import { listResources, type ResourceListing, type ResourceText, readResource } from './resources.js';
import { timingTools } from './timing-tools.js';
import { Topics } from './topics.js';

/** Everything one server offers; shared by all its sessions and both eras. */
export class Catalogue {
  readonly topics = new Topics();
  readonly tools: readonly ToolListing[];
  private readonly byName: ReadonlyMap<string, Tool>;

  /** @param resetCounters called by the `reset_counters` tool, which also restarts the seeded sequences */
  constructor(seed: number, resetCounters: () => void) {
    const sequences = new SeededSequences();
    const tools = [
      ...dataTools(sequences, seed, this.topics, () => {
        sequences.reset();
        this.topics.reset();
        resetCounters();
      }),
      ...timingTools(sequences, seed),
    ];
    this.tools = tools.map((tool) => tool.listing);
    this.byName = new Map(tools.map((tool) => [tool.listing.name, tool]));
  }

  /** @throws UnknownName for an unknown tool */
  call(name: string, rawArguments: unknown, context: CallContext): ToolResult | Promise<ToolResult> {
    const tool = this.byName.get(name);
    if (tool === undefined) throw new UnknownName('Tool', name);
    return tool.call(rawArguments, context);
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
