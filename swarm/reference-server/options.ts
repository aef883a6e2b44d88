import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { CatalogueOptions } from './catalogue/catalogue.js';
import { MOST_TOOLS } from './catalogue/made-tools.js';
import type { ReferenceServerOptions } from './reference-server.js';

/** Options of both programs of this folder. */
export interface ProgramOptions {
  /** The program ends when this file is no longer touched. */
  readonly lease: string | undefined;
}

const port = z.coerce.number().int().min(0).max(65_535);
const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'a duration such as 500ms, 90s, 30m or 1h')
  .transform((written) => {
    const unit = /[a-z]+$/.exec(written)?.[0] as keyof typeof units;
    return Number.parseFloat(written) * units[unit];
  });

/** One port for WebSocket and lines of JSON-RPC; without it, neither is served. */
const streamPort = port.optional();

/** See `HostGuard`. */
const allowedHosts = z
  .array(z.string().regex(/^(\*|[\w.-]+|\[[0-9a-fA-F:]+\])$/, 'a host name without a port, or *'))
  .default([]);

/** `echo=3ms`. */
const delays = z
  .array(
    z
      .string()
      .regex(/^.+=\d+(\.\d+)?(ms|s|m|h)$/, 'a tool and a duration, such as echo=3ms')
      .transform((written): readonly [tool: string, ms: number] => {
        const equals = written.lastIndexOf('=');
        return [written.slice(0, equals), duration.parse(written.slice(equals + 1))];
      }),
  )
  .default([]);

const common = {
  host: z.string().default('127.0.0.1'),
  port: port.default(3000),
  'stream-port': streamPort,
  answers: z.enum(['json', 'sse']).default('json'),
  lease: z.string().optional(),
};

const referenceSchema = z.strictObject({
  ...common,
  'allowed-host': allowedHosts,
  id: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'visible ASCII')
    .default(hostname()),
  era: z.enum(['both', 'legacy', 'modern']).default('both'),
  sessions: z.enum(['stateful', 'stateless']).default('stateful'),
  'session-ttl': duration.prefault('30m'),
  'max-sessions': z.coerce.number().int().min(1).default(1_000_000),
  seed: z.coerce.number().int().default(1),
  stdio: z.boolean().default(false),
  replay: z.coerce.number().int().min(0).max(1_000_000).default(1_000),
  tools: z.coerce.number().int().min(1).max(MOST_TOOLS).optional(),
  'tool-bytes': z.coerce.number().int().min(1).max(1_048_576).optional(),
  'schema-depth': z.coerce.number().int().min(1).max(100).default(1),
  'answer-bytes': z.coerce.number().int().min(0).max(8_388_608).default(0),
  'page-size': z.coerce.number().int().min(1).optional(),
  delay: delays,
});

const sinkSchema = z.strictObject(common);

interface SinkOptions {
  readonly host: string;
  readonly port: number;
  /** For WebSocket and lines of JSON-RPC; 0: any free port; undefined: neither is served. */
  readonly streamPort: number | undefined;
  readonly answers: 'json' | 'sse';
}

/**
 * `--stdio` serves one session over standard input and output, and no port.
 * @throws Error that names every problem of the command line
 */
export function parseReferenceOptions(
  args: readonly string[],
): ReferenceServerOptions & ProgramOptions & { readonly stdio: boolean } {
  const {
    'session-ttl': sessionTtlMs,
    'max-sessions': maxSessions,
    'stream-port': streamPort,
    'allowed-host': allowedHosts,
    lease,
    tools,
    'tool-bytes': bytes,
    'schema-depth': schemaDepth,
    'answer-bytes': answerBytes,
    'page-size': pageSize,
    delay,
    ...rest
  } = parse(referenceSchema, args);
  const prefix = rest.id.replaceAll(/[^\w-]/g, '_');
  const made = tools === undefined ? undefined : { prefix, count: tools, bytes, schemaDepth, answerBytes };
  const catalogue: CatalogueOptions = { made, pageSize, delays: new Map(delay) };
  return { ...rest, streamPort, allowedHosts, sessionTtlMs, maxSessions, lease, catalogue };
}

/** @throws Error that names every problem of the command line */
export function parseSinkOptions(args: readonly string[]): SinkOptions & ProgramOptions {
  const { lease, 'stream-port': streamPort, ...rest } = parse(sinkSchema, args);
  return { ...rest, streamPort, lease };
}

function parse<Schema extends z.ZodObject>(schema: Schema, args: readonly string[]): z.infer<Schema> {
  const options = Object.fromEntries(
    Object.entries(schema.shape).map(([name, value]) => [
      name,
      { type: isFlag(value) ? ('boolean' as const) : ('string' as const), multiple: isList(value) },
    ]),
  );
  const { values } = parseArgs({ args: [...args], options, strict: true });
  const parsed = schema.safeParse({ ...values });
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'));
}

/** An option that may be given several times. */
function isList(option: z.core.$ZodType): boolean {
  return option instanceof z.ZodDefault && option.unwrap() instanceof z.ZodArray;
}

/** An option without a value. */
function isFlag(option: z.core.$ZodType): boolean {
  return option instanceof z.ZodDefault && option.unwrap() instanceof z.ZodBoolean;
}
