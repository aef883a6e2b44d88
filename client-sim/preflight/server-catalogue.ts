import type { HeaderPlan, OperationPlan } from '../../scenarios/schema/plan.js';
import { nearest } from '../../scenarios/yaml/nearest.js';
import { argumentsFor, argumentsForPrompt, type GeneratedArguments } from '../mcp/auto-arguments.js';
import { headerDeclarations } from '../mcp/header-declarations.js';
import { describe, isObject } from '../mcp/json-value.js';
import { structuredCheck } from '../mcp/result-rules.js';
import { MODERN_REVISION } from '../mcp/revisions.js';
import type { PreflightSession } from './preflight-session.js';

type Listing = 'tools/list' | 'resources/list' | 'prompts/list';

/** The list in which the target of an operation with this method must appear; undefined if there is none. */
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

/** The member of a list's result that holds the entries, the key that identifies one, and what one is called. */
const SHAPES = {
  'tools/list': { entries: 'tools', key: 'name', singular: 'tool' },
  'resources/list': { entries: 'resources', key: 'uri', singular: 'resource' },
  'prompts/list': { entries: 'prompts', key: 'name', singular: 'prompt' },
} as const satisfies Record<Listing, { entries: string; key: string; singular: string }>;

/** A list is read up to this many pages, in case a server never stops. */
const MAX_PAGES = 100;
/** An error names this many entries of a list. */
const MAX_NAMES = 30;

interface Entry {
  readonly name: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

/**
 * What a tool says about what it does (MCP, `ToolAnnotations`). A tool that is not read-only is destructive unless it
 * says otherwise; one without either hint says nothing, which is what most servers do.
 */
export function destructiveness(
  tool: Readonly<Record<string, unknown>> | undefined,
): 'read-only' | 'additive' | 'destructive' | 'unsaid' {
  const hints = isObject(tool?.annotations) ? tool.annotations : {};
  const { readOnlyHint, destructiveHint } = hints;
  if (readOnlyHint === true) return 'read-only';
  if (destructiveHint === false) return 'additive';
  return destructiveHint === true || readOnlyHint === false ? 'destructive' : 'unsaid';
}

/** The tools, resources and prompts that a server lists. */
export class ServerCatalogue {
  private readonly entries = new Map<Listing, readonly Entry[]>();
  /** Tools that a client must not use, with the reason. */
  private readonly refused = new Map<string, string>();
  /** Why a list was not read to its end. */
  private readonly unread = new Map<Listing, string>();

  /** @param paramHeaders tools can have headers made from their arguments: the transport and the era support it */
  constructor(private readonly paramHeaders: boolean) {}

  names(listing: Listing): readonly string[] {
    return (this.entries.get(listing) ?? []).map(({ name }) => name);
  }

  /** Reads a list, page by page. @returns what is wrong, if anything */
  async fill(session: PreflightSession, listing: Listing): Promise<string | undefined> {
    const { entries: member, key } = SHAPES[listing];
    const entries: Entry[] = [];
    let cursor: unknown;
    const cursors = new Set<string>();
    for (let page = 0; page < MAX_PAGES; page++) {
      const { result, failure, requestText, responseText } = await session.request(
        listing,
        cursor === undefined ? {} : { cursor },
      );
      const texts = `\n--- request\n${requestText}\n--- answer\n${responseText}`;
      if (failure !== undefined) {
        const problem = `${listing} failed with ${failure.category}: ${failure.detail}`;
        return `${problem}. Does this server offer ${member}?${texts}`;
      }
      const found: unknown = result?.[member];
      if (!Array.isArray(found)) return `the answer to ${listing} has no \`${member}\`, which MCP requires.${texts}`;
      entries.push(
        ...found
          .filter(isObject)
          .flatMap((entry) => (typeof entry[key] === 'string' ? [{ name: entry[key], entry }] : [])),
      );
      cursor = result?.nextCursor;
      if (typeof cursor !== 'string' || cursor === '') break;
      const repeats = cursors.has(cursor);
      cursors.add(cursor);
      if (repeats || page === MAX_PAGES - 1) {
        this.unread.set(
          listing,
          repeats
            ? `its ${listing} gives the cursor \`${describe(cursor)}\` again, so that its pages never end: ` +
                `${page + 1} were read`
            : `its ${listing} has more than ${MAX_PAGES} pages, of which the first ${MAX_PAGES} were read`,
        );
        session.annotateLast(this.unread.get(listing) ?? '');
        break;
      }
    }
    const refused = listing === 'tools/list' && this.paramHeaders ? entries.filter((entry) => this.refuse(entry)) : [];
    if (refused.length > 0)
      session.annotateLast(
        refused.map(({ name }) => `tool \`${name}\` is left out: ${this.refused.get(name)}`).join('; '),
      );
    this.entries.set(
      listing,
      entries.filter((entry) => !refused.includes(entry)),
    );
    return undefined;
  }

  /** What the server says of a tool. */
  toolEntry(tool: string): Readonly<Record<string, unknown>> | undefined {
    return this.entries.get('tools/list')?.find(({ name }) => name === tool)?.entry;
  }

  /** Everything in a list, as the server says it. */
  all(listing: Listing): readonly Readonly<Record<string, unknown>>[] {
    return (this.entries.get(listing) ?? []).map(({ entry }) => entry);
  }

  /** Tools that a client must not use, with the reason. They are not among those that are listed. */
  get refusedTools(): ReadonlyMap<string, string> {
    return this.refused;
  }

  /** The headers that are made from the arguments of this operation. */
  headersOf({ method, target }: OperationPlan): readonly HeaderPlan[] {
    if (method !== 'tools/call' || !this.paramHeaders) return [];
    const declared = headerDeclarations(
      this.entries.get('tools/list')?.find(({ name }) => name === target)?.entry.inputSchema,
    );
    return declared.ok ? declared.headers : [];
  }

  /** The schema by which the structured content of an operation is judged; its problem, where it is none. */
  outputSchemaOf({
    method,
    target,
    validate,
  }: OperationPlan):
    | { readonly ok: true; readonly json: string | undefined }
    | { readonly ok: false; readonly problem: string } {
    const schema =
      method === 'tools/call' && validate !== 'none' ? this.toolEntry(target ?? '')?.outputSchema : undefined;
    if (schema === undefined || schema === null) return { ok: true, json: undefined };
    const json = JSON.stringify(schema);
    try {
      structuredCheck(json);
      return { ok: true, json };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const remedy = 'Fix it in the server, or set `validate: none` for this operation';
      return {
        ok: false,
        problem: `the outputSchema of the tool is no JSON Schema that can be used: ${reason}. ${remedy}`,
      };
    }
  }

  /** Generates the arguments of an operation with `arguments: auto` from the server's description of its target. */
  argumentsOf({ method, target }: OperationPlan): GeneratedArguments {
    const listing = listingFor(method);
    const entry =
      listing === undefined ? undefined : this.entries.get(listing)?.find(({ name }) => name === target)?.entry;
    if (entry === undefined) return { ok: false, problem: `the server lists no ${target ?? method}` };
    return method === 'prompts/get'
      ? argumentsForPrompt(entry.arguments)
      : argumentsFor(entry.inputSchema ?? { type: 'object' });
  }

  /** Why an operation cannot be done: its target is not in the server's list, or must not be used. */
  missing(operation: OperationPlan): string | undefined {
    const listing = listingFor(operation.method);
    if (listing === undefined || operation.target === undefined || operation.method.endsWith('/list')) return undefined;
    const names = [...new Set(this.names(listing))];
    // A resource may come from a template, which the list does not show: the trial call decides.
    if (names.includes(operation.target) || listing === 'resources/list') return undefined;
    const { singular, entries } = SHAPES[listing];
    const why = listing === 'tools/list' ? this.refused.get(operation.target) : undefined;
    if (why !== undefined) {
      return (
        `the server's tool \`${operation.target}\` must not be used: ${why}. ` +
        `MCP ${MODERN_REVISION} requires clients to leave such tools out. Fix the declaration in the server`
      );
    }
    const close = nearest(operation.target, names);
    const guess = close === undefined ? '' : `; did you mean \`${close}\`?`;
    const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : '';
    const offer =
      names.length === 0 ? `it lists no ${entries}` : `its ${entries}: ${names.slice(0, MAX_NAMES).join(', ')}${more}`;
    const unread = this.unread.get(listing);
    const rest = unread === undefined ? '' : `; ${unread}`;
    return `the server has no ${singular} \`${operation.target}\`${guess} (${offer}${rest})`;
  }

  /** @returns whether the tool must not be used */
  private refuse({ name, entry }: Entry): boolean {
    const declared = headerDeclarations(entry.inputSchema);
    if (!declared.ok) this.refused.set(name, declared.problem);
    return !declared.ok;
  }
}
