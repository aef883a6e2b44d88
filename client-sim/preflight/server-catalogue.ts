import type { HeaderPlan, OperationPlan } from '../../scenarios/schema/plan.js';
import { nearest } from '../../scenarios/yaml/nearest.js';
import { argumentsFor, argumentsForPrompt, type GeneratedArguments } from '../mcp/auto-arguments.js';
import { headerDeclarations } from '../mcp/header-declarations.js';
import { isObject } from '../mcp/judge-message.js';
import { MODERN_REVISION } from '../mcp/revisions.js';
import type { PreflightSession } from './preflight-session.js';

type Listing = 'tools/list' | 'resources/list' | 'prompts/list';

/** The list in which an operation of this method must appear; undefined where there is none to look in. */
export function listingFor(method: OperationPlan['method']): Listing | undefined {
  switch (method) {
    case 'tools/call':
    case 'tools/list':
      return 'tools/list';
    case 'prompts/get':
    case 'prompts/list':
      return 'prompts/list';
    case 'resources/read':
    case 'resources/list':
      return 'resources/list';
    case 'ping':
    case 'resources/subscribe':
      return undefined;
  }
}

/** Where the entries of a list are in its result, and what identifies one. */
const SHAPES = {
  'tools/list': { entries: 'tools', key: 'name', word: 'tool' },
  'resources/list': { entries: 'resources', key: 'uri', word: 'resource' },
  'prompts/list': { entries: 'prompts', key: 'name', word: 'prompt' },
} as const satisfies Record<Listing, { entries: string; key: string; word: string }>;

/** Pages of a list that are read at most; more is a server that never stops. */
const MOST_PAGES = 100;

interface Entry {
  readonly name: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

/** What a server says it offers. */
export class ServerCatalogue {
  private readonly entries = new Map<Listing, readonly Entry[]>();
  /** Tools that a client must leave out, and why. */
  private readonly refused = new Map<string, string>();

  /**
   * @param paramHeaders whether tools can have headers made from their arguments: there are headers, in an era that
   * knows of it
   */
  constructor(private readonly paramHeaders: boolean) {}

  names(listing: Listing): readonly string[] {
    return (this.entries.get(listing) ?? []).map(({ name }) => name);
  }

  /** Reads a list, page by page. @returns what is wrong, in words */
  async fill(session: PreflightSession, listing: Listing): Promise<string | undefined> {
    const { entries: member, key } = SHAPES[listing];
    const entries: Entry[] = [];
    let cursor: unknown;
    for (let page = 0; page < MOST_PAGES; page++) {
      const { result, failure, requestText, responseText } = await session.request(
        listing,
        cursor === undefined ? {} : { cursor },
      );
      if (failure !== undefined)
        return `${listing} failed with ${failure.category}: ${failure.detail}. Does this server offer ${member}?\n--- request\n${requestText}\n--- answer\n${responseText}`;
      const found: unknown = result?.[member];
      if (!Array.isArray(found))
        return `${listing} answered without \`${member}\`, which MCP demands.\n--- request\n${requestText}\n--- answer\n${responseText}`;
      entries.push(
        ...found
          .filter(isObject)
          .flatMap((entry) => (typeof entry[key] === 'string' ? [{ name: entry[key], entry }] : [])),
      );
      cursor = result?.nextCursor;
      if (typeof cursor !== 'string' || cursor === '') break;
    }
    const refused = listing === 'tools/list' && this.paramHeaders ? entries.filter((entry) => this.refuse(entry)) : [];
    if (refused.length > 0)
      session.remarkLast(
        refused.map(({ name }) => `tool \`${name}\` is left out: ${this.refused.get(name)}`).join('; '),
      );
    this.entries.set(
      listing,
      entries.filter((entry) => !refused.includes(entry)),
    );
    return undefined;
  }

  private refuse({ name, entry }: Entry): boolean {
    const declared = headerDeclarations(entry.inputSchema);
    if (!declared.ok) this.refused.set(name, declared.problem);
    return !declared.ok;
  }

  /** Headers to be made from the arguments of this operation. */
  headersOf({ method, target }: OperationPlan): readonly HeaderPlan[] {
    if (method !== 'tools/call' || !this.paramHeaders) return [];
    const declared = headerDeclarations(
      this.entries.get('tools/list')?.find(({ name }) => name === target)?.entry.inputSchema,
    );
    return declared.ok ? declared.headers : [];
  }

  /** Arguments for an operation that leaves them to us, from what the server says of its tool or prompt. */
  argumentsOf({ method, target }: OperationPlan): GeneratedArguments {
    const listing = listingFor(method);
    const entry =
      listing === undefined ? undefined : this.entries.get(listing)?.find(({ name }) => name === target)?.entry;
    if (entry === undefined) return { ok: false, problem: `the server lists no ${target ?? method}` };
    return method === 'prompts/get'
      ? argumentsForPrompt(entry.arguments)
      : argumentsFor(entry.inputSchema ?? { type: 'object' });
  }

  /** Why an operation cannot be done: it names what the server does not list. */
  missing(operation: OperationPlan): string | undefined {
    const listing = listingFor(operation.method);
    if (listing === undefined || operation.target === undefined || operation.method.endsWith('/list')) return undefined;
    const names = this.names(listing);
    // Resources may come from templates that no list shows: the trial call decides.
    if (names.includes(operation.target) || listing === 'resources/list') return undefined;
    const { word, entries } = SHAPES[listing];
    const why = listing === 'tools/list' ? this.refused.get(operation.target) : undefined;
    if (why !== undefined)
      return `the server's tool \`${operation.target}\` must not be used: ${why}. MCP ${MODERN_REVISION} has clients leave such tools out; the server's declaration is to be mended`;
    const close = nearest(operation.target, names);
    const offer =
      names.length === 0
        ? `it lists no ${entries}`
        : `its ${entries}: ${names.slice(0, 30).join(', ')}${names.length > 30 ? `, and ${names.length - 30} more` : ''}`;
    return `the server has no ${word} \`${operation.target}\`${close === undefined ? '' : `; did you mean \`${close}\`?`} (${offer})`;
  }
}
