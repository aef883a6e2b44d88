/**
 * What the reference server offers, free of any SDK: both protocol eras answer from the same tools, resources and
 * prompts, so a difference between eras is a difference of the protocol and of nothing else.
 */
import { z } from 'zod';

export interface TextContent {
  readonly type: 'text';
  readonly text: string;
}

export interface ToolResult {
  readonly content: readonly TextContent[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly isError?: true;
}

/** The exchange that a call runs in. `progress` does nothing when the caller sent no progress token. */
export interface CallContext {
  readonly signal: AbortSignal;
  progress(done: number, total: number): Promise<void>;
}

interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** As `tools/list` shows it. */
export interface ToolListing {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly type: 'object'; readonly [key: string]: unknown };
  readonly annotations: ToolAnnotations;
}

export interface Tool {
  readonly listing: ToolListing;
  /** Invalid arguments give a result with `isError`, as with the servers of the SDK. */
  call(rawArguments: unknown, context: CallContext): ToolResult | Promise<ToolResult>;
}

interface ToolDefinition<Schema extends z.ZodObject> {
  readonly name: string;
  readonly description: string;
  readonly input: Schema;
  readonly annotations?: Partial<ToolAnnotations>;
  call(input: z.infer<Schema>, context: CallContext): ToolResult | Promise<ToolResult>;
}

const harmless: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

export function defineTool<Schema extends z.ZodObject>(definition: ToolDefinition<Schema>): Tool {
  const { name, description, input } = definition;
  return {
    listing: {
      name,
      description,
      inputSchema: { ...z.toJSONSchema(input, { io: 'input' }), type: 'object' },
      annotations: { ...harmless, ...definition.annotations },
    },
    call(rawArguments, context) {
      const parsed = input.safeParse(rawArguments ?? {});
      if (!parsed.success) {
        return toolError(
          `Input validation error: Invalid arguments for tool ${name}: ${z.prettifyError(parsed.error)}`,
        );
      }
      return definition.call(parsed.data, context);
    },
  };
}

export function text(value: string): ToolResult {
  return { content: [{ type: 'text', text: value }] };
}

export function toolError(message: string): ToolResult {
  return { content: [{ type: 'text', text: message }], isError: true };
}

/** The caller named something that is not there. Both SDKs make a JSON-RPC error of an error with a numeric `code`. */
export class UnknownName extends Error {
  /** Invalid params, as MCP says for unknown tools and prompts and as SDK 1.x answers unknown resources. */
  readonly code = -32602;

  constructor(kind: 'Tool' | 'Resource' | 'Prompt', name: string) {
    super(`${kind} ${name} not found`);
  }
}
