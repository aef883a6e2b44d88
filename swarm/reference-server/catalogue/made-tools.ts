/** As many tools as somebody asks for, of any size: for clients and gateways that must cope with large catalogues. */
import { z } from 'zod';
import { defineTool, type Tool, text } from './contract.js';
import { filler } from './resources.js';

export interface MadeTools {
  /** They are named `PREFIX_tool_1` and so on. */
  readonly prefix: string;
  readonly count: number;
  /** About how long the listing of each is, as JSON. */
  readonly bytes: number | undefined;
  /** How many objects are nested in the schema of its arguments. */
  readonly schemaDepth: number;
  /** How long its answer is at least. */
  readonly answerBytes: number;
}

export const MOST_TOOLS = 100_000;

export function makeTools({ prefix, count, bytes = 0, schemaDepth, answerBytes }: MadeTools): readonly Tool[] {
  const input = z.strictObject({ message: z.string().default(''), options: nested(schemaDepth).optional() });
  return Array.from({ length: count }, (_, at) => {
    const name = `${prefix}_tool_${at + 1}`;
    const make = (description: string): Tool =>
      defineTool({
        name,
        description,
        input,
        call: ({ message }) => text(message + filler(Math.max(0, answerBytes - Buffer.byteLength(message)))),
      });
    const plain = make(`Tool ${at + 1} of ${prefix}: answers with the message.`);
    const missing = bytes - Buffer.byteLength(JSON.stringify(plain.listing));
    return missing <= 0 ? plain : make(`${plain.listing.description} ${filler(missing - 1)}`);
  });
}

function nested(depth: number): z.ZodType {
  const value = z.strictObject({ value: z.string().optional() });
  return depth <= 1 ? value : z.strictObject({ value: z.string().optional(), inner: nested(depth - 1).optional() });
}
