/** `misbehave` of a profile, as written. */
import { z } from 'zod';
import { malformedKinds } from '../misbehave.js';
import { percentage, positiveDuration, size, sizeRate } from './fields.js';

const malformed = z.union([
  percentage,
  z.strictObject({
    share: percentage.describe('Of operations; the profile\'s others are as they should be.'),
    kinds: z.array(z.enum(malformedKinds)).min(1, { error: 'at least one kind' }).optional().describe('Which ways to break a request, equally likely. broken-json: half a body in whole framing; wrong-framing: a chunk without a size; unknown-method: one that nobody has; duplicate-id: the same request twice at once; oversize: a correct request that is far too long. Default: all.'),
    oversize: size.prefault('8 MiB').describe('Length of the body of an oversize request.'),
  }),
]);

const reconnect = z.strictObject({
  every: positiveDuration.describe('Run time between two losses.'),
  together: z.boolean().prefault(true).describe('true: all clients of the profile lose their connections at the same moment; false: each at its own, evenly spread.'),
  session: z.enum(['keep', 'new']).prefault('keep').describe('keep: they come back with new connections in the same session; new: the session is left behind without a word and another one opened.'),
});

export const misbehaveSchema = z.strictObject({
  readRate: sizeRate.optional().describe('A true slow reader: each socket is drained no faster than this.'),
  writeRate: sizeRate.optional().describe('A slow writer: the bytes of its requests leave each socket no faster than this, handshake included.'),
  abort: percentage.optional().describe('Share of operations, drawn from the seed, whose connection is closed: one half when the request is sent, the other after the first bytes of the answer. Each has a connection of its own, so that no other operation suffers.'),
  malformed: malformed.optional().describe('Share of operations, drawn from the seed, that are broken on purpose, each on a connection of its own: `1%`, or a map. What the server answers to each kind is in the report.'),
  idle: positiveDuration.optional().describe('Initialise, then nothing for this long; then one operation finds out whether the session lives, and so on. Takes the place of `arrivals` and `thinkTime`.'),
  reconnect: reconnect.optional().describe('All clients lose their connections and come back at once: a storm.'),
});

export type MisbehaveSource = z.infer<typeof misbehaveSchema>;
