/** A fault, as written. Which of these keys a kind takes is for `resolve/faults`. */
import { z } from 'zod';
import { duration, name, positiveDuration, wholeNumber } from '../keys/fields.js';

/**
 * All kinds that have their place in the files; those that no platform can do yet are refused by name (`refusals.ts`).
 */
export const FAULT_KINDS = [
  'scale',
  'kill',
  'stop',
  'pause',
  'restart',
  'drain',
  'partition',
  'loss',
  'delay',
  'rate',
  'reset',
  'disconnect',
  'cpu',
  'image',
] as const;

/** Most replicas of one service: as many as the gateway finds. */
const MOST_REPLICAS = 64;

export const fault = z.strictObject({
  at: duration.describe('When it begins, from the start of the first stage; with `repeat`, in every trial.'),
  kind: z
    .enum(FAULT_KINDS)
    .describe(
      'scale: a service of the stack gets another number of replicas. The other kinds of the design are not built yet: refused by name.',
    ),
  for: positiveDuration
    .optional()
    .describe('How long it lasts, after which it is undone. Default: to the end of the last stage.'),
  service: name.optional().describe('The service it acts on, by its name in the stack file. Default mcp-server.'),
  replicas: wholeNumber(0, MOST_REPLICAS)
    .optional()
    .describe('Of `scale`: how many replicas the service has while the fault lasts.'),
  replica: wholeNumber(1, MOST_REPLICAS)
    .optional()
    .describe('One replica of the target. Not built yet: refused by name.'),
  node: z.string().min(1).optional().describe('One node of the swarm. Not built yet: refused by name.'),
  fraction: z.string().min(1).optional().describe('A share of the replicas. Not built yet: refused by name.'),
});

export type FaultSource = z.infer<typeof fault>;
