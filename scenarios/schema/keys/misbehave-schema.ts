/** `misbehave` of a profile, as written. */
import { z } from 'zod';
import { abortKinds, malformedKinds } from '../misbehave.js';
import { percentage, positiveDuration, size, sizeRate } from './fields.js';

const abort = z.union([
  percentage,
  z.strictObject({
    share: percentage.describe("Of operations; the profile's others are as they should be."),
    kinds: z
      .array(z.enum(abortKinds))
      .min(1, { error: 'at least one kind' })
      .optional()
      .describe(
        "Where they are left, equally likely. mid-handshake: within the request that would open the connection's session; mid-request: when half of the request is sent; after-request: when it is sent; mid-answer: after the first bytes of the answer. Default: all that the transport has.",
      ),
    how: z
      .enum(['close', 'reset'])
      .prefault('close')
      .describe(
        'close: as a program does that ends (FIN, or RST where bytes of the answer were not read); reset: always with RST, as one that crashes.',
      ),
  }),
]);

const malformed = z.union([
  percentage,
  z.strictObject({
    share: percentage.describe("Of operations; the profile's others are as they should be."),
    kinds: z
      .array(z.enum(malformedKinds))
      .min(1, { error: 'at least one kind' })
      .optional()
      .describe(
        'Which ways to break a request, equally likely. broken-json: half a message in whole framing; wrong-framing: a chunk without a size (HTTP), a continuation of nothing (WebSocket), a message over two lines; unknown-method: one that nobody has; duplicate-id: the same request twice at once; oversize: a correct request that is far too long; not-utf8: a text with bytes that are no UTF-8; of WebSocket frames unmasked, reserved-bits, bad-opcode, huge-length. Default: all that the transport has.',
      ),
    oversize: size.prefault('8 MiB').describe('Length of the body of an oversize request.'),
  }),
]);

const reconnect = z.strictObject({
  every: positiveDuration.describe('Run time between two losses.'),
  together: z
    .boolean()
    .prefault(true)
    .describe(
      'true: all clients of the profile lose their connections at the same moment; false: each at its own, evenly spread.',
    ),
  session: z
    .enum(['keep', 'new'])
    .optional()
    .describe(
      'keep: they come back with new connections in the same session, which only streamable-http can; new: the session is left behind without a word and another one opened. Default: keep where the transport can.',
    ),
});

export const misbehaveSchema = z.strictObject({
  readRate: sizeRate.optional().describe('A true slow reader: each socket is drained no faster than this.'),
  writeRate: sizeRate
    .optional()
    .describe('A slow writer: the bytes of its requests leave each socket no faster than this, handshake included.'),
  abort: abort
    .optional()
    .describe(
      'Share of operations, drawn from the seed, whose connection is closed before the answer is whole: `1%`, or a map. Each has a connection of its own, so that no other operation suffers.',
    ),
  malformed: malformed
    .optional()
    .describe(
      'Share of operations, drawn from the seed, that are broken on purpose, each on a connection of its own: `1%`, or a map. What the server answers to each kind is in the report.',
    ),
  idle: positiveDuration
    .optional()
    .describe(
      'Initialise, then nothing for this long; then one operation finds out whether the session lives, and so on. Takes the place of `arrivals` and `thinkTime`.',
    ),
  reconnect: reconnect.optional().describe('All clients lose their connections and come back at once: a storm.'),
});

export type MisbehaveSource = z.infer<typeof misbehaveSchema>;
