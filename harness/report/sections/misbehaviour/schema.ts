import { z } from 'zod';
import type { SectionData } from '../report-section.js';
import { exchangeFields } from '../shared/exchange.js';
import { count, maybe } from '../shared/fields.js';
import { operationFields } from '../shared/traffic.js';

const side = z.strictObject({ stages: z.array(z.string()), ...operationFields });

export const schema = {
  /** Well-behaved profiles with and without one that misbehaves beside them, where measured stages have both. */
  neighbours: z.array(
    z.strictObject({
      profile: z.string(),
      neighbours: z.array(z.string()),
      alone: side,
      beside: side,
      /** beside / alone. */
      ratio: z.strictObject({ throughput: maybe, p50: maybe, p95: maybe, p99: maybe }),
      errorRateDifference: maybe,
    }),
  ),
  /** What clients did wrong on purpose, over all stages, and how the server reacted. None of it is in `errors`. */
  misbehaviour: z.array(
    z.strictObject({
      profile: z.string(),
      /** `readRate`, `writeRate`, `abort/WHEN`, `malformed/KIND`, `idle`, `reconnect`, `reconnect/return`. */
      kind: z.string(),
      done: count,
      reactions: z.array(
        z.strictObject({
          /** `result`, an error category, or what we did ourselves: `closed`, `cut`. */
          reaction: z.string(),
          count,
          /** right: as a sound server reacts; wrong: worth a look; neutral: says nothing about the server. */
          judgement: z.enum(['right', 'wrong', 'neutral']),
          meaning: z.string(),
          sample: z.strictObject({ atSeconds: z.number(), ...exchangeFields }).nullable(),
        }),
      ),
    }),
  ),
};
export type MisbehaviourData = SectionData<typeof schema>;
export type Misbehaviour = MisbehaviourData['misbehaviour'][number];
export type Reaction = Misbehaviour['reactions'][number];
export type Neighbours = MisbehaviourData['neighbours'][number];
