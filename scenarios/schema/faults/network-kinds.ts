/** Faults of a replica's network. */
import { z } from 'zod';
import { formatBytes, formatDuration } from '../grammar/units.js';
import { duration, percentage, sizeRate, wholeNumber } from '../keys/fields.js';
import {
  type ActionContext,
  describeRamp,
  type FaultKind,
  formatShare,
  missingKey,
  type Ramp,
  ramped,
  rampOf,
} from './fault-kind.js';
import { describeTarget, resolveTarget, subjectsOf, type Targeted, targetKeys } from './fault-targets.js';

const directions = ['both', 'in', 'out'] as const;
export type Direction = (typeof directions)[number];

const direction = z
  .enum(directions)
  .optional()
  .describe(
    'With `kind: partition`: what is lost. in: what is sent to the replica; out: what it sends; both. Default both.',
  );
const partitionKeys = { ...targetKeys, direction };

interface Partition extends Targeted {
  readonly kind: 'partition';
  readonly direction: Direction;
}

export const partition: FaultKind<Partition, typeof partitionKeys> = {
  description: 'cuts the replica off: nothing of what is sent arrives, and nobody is told',
  connections: { open: 'stay open and silent; afterwards they carry on', new: 'get no answer until it is over' },
  lasts: 'time',
  keys: partitionKeys,
  resolve({ direction: way = 'both', ...source }, context) {
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'partition', direction: way, ...targeted };
  },
  describe: ({ target, direction: way }) => `cut off ${describeTarget(target)}${way === 'both' ? '' : ` (${way})`}`,
  subjects: subjectsOf,
};

const delay = ramped(duration)
  .optional()
  .describe(
    'With `kind: delay`: by how much what the replica sends is late; or a ramp { from: 0ms, to: 200ms }. With ' +
      '`kind: dns`: by how much answers are late.',
  );
const jitter = duration
  .optional()
  .describe('With `kind: delay`: the delay varies evenly by up to so much, more or less. Default 0.');
const delayKeys = { ...targetKeys, delay, jitter };

interface Delay extends Targeted {
  readonly kind: 'delay';
  /** Milliseconds. */
  readonly delay: Ramp;
  readonly jitterMs: number;
}

export const delayed: FaultKind<Delay, typeof delayKeys> = {
  description: 'delays what the replica sends',
  connections: { open: 'stay open and get slow', new: 'stay possible and get slow' },
  lasts: 'time',
  keys: delayKeys,
  resolve({ delay: late, jitter: jitterMs = 0, ...source }, context) {
    if (late === undefined)
      return missingKey(context, 'delay', 'delay', '{ at: 30s, kind: delay, delay: 80ms, jitter: 10ms, for: 20s }');
    const ramp = rampOf(late);
    if (jitterMs > Math.max(ramp.from, ramp.to)) {
      context.scenario.reportAtValue(
        [...context.path, 'jitter'],
        'CONFLICT',
        `the delay is at most ${formatDuration(Math.max(ramp.from, ramp.to))}, ` +
          `so it cannot vary by ${formatDuration(jitterMs)}`,
      );
      return undefined;
    }
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'delay', delay: ramp, jitterMs, ...targeted };
  },
  describe: ({ target, delay: late, jitterMs }) =>
    `delay ${describeTarget(target)} by ${describeRamp(late, formatDuration)}` +
    (jitterMs === 0 ? '' : ` (+-${formatDuration(jitterMs)})`),
  subjects: subjectsOf,
};

const lossKeys = {
  ...targetKeys,
  loss: ramped(percentage)
    .optional()
    .describe('With `kind: loss`: the share of packets that are lost, both ways; or a ramp { from, to }.'),
};

interface Loss extends Targeted {
  readonly kind: 'loss';
  /** 0 to 1. */
  readonly loss: Ramp;
}

export const loss: FaultKind<Loss, typeof lossKeys> = {
  description: 'loses packets of the replica, both ways',
  connections: {
    open: 'stay open and get slow by retransmission',
    new: 'take seconds when their first packet is lost',
  },
  lasts: 'time',
  keys: lossKeys,
  resolve({ loss: share, ...source }, context) {
    if (share === undefined) return missingKey(context, 'loss', 'loss', '{ at: 30s, kind: loss, loss: 20%, for: 20s }');
    const ramp = shareOf(share, 'loss', context);
    const targeted = ramp && resolveTarget(source, context);
    return targeted && { kind: 'loss', loss: ramp, ...targeted };
  },
  describe: ({ target, loss: share }) =>
    `lose ${describeRamp(share, formatShare)} of the packets of ${describeTarget(target)}`,
  subjects: subjectsOf,
};

const rateKeys = {
  ...targetKeys,
  rate: ramped(sizeRate)
    .optional()
    .describe('With `kind: rate`: how fast the replica can send, such as 250 kB/s; or a ramp { from, to }.'),
};

interface Rate extends Targeted {
  readonly kind: 'rate';
  /** Bytes a second. */
  readonly rate: Ramp;
}

export const rate: FaultKind<Rate, typeof rateKeys> = {
  description: 'limits how fast the replica can send, all its connections together',
  connections: { open: 'stay open and share what is left', new: 'stay possible and share what is left' },
  lasts: 'time',
  keys: rateKeys,
  resolve({ rate: speed, ...source }, context) {
    if (speed === undefined)
      return missingKey(context, 'rate', 'rate', '{ at: 30s, kind: rate, rate: 250 kB/s, for: 20s }');
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'rate', rate: rampOf(speed), ...targeted };
  },
  describe: ({ target, rate: speed }) =>
    `let ${describeTarget(target)} send no more than ${describeRamp(speed, (bytes) => `${formatBytes(bytes)}/s`)}`,
  subjects: subjectsOf,
};

const resetKeys = {
  ...targetKeys,
  reset: ramped(percentage)
    .optional()
    .describe('With `kind: reset`: the share of connections that are reset; or a ramp { from, to }. Default 100%.'),
};

interface Reset extends Targeted {
  readonly kind: 'reset';
  /** 0 to 1. */
  readonly reset: Ramp;
}

export const reset: FaultKind<Reset, typeof resetKeys> = {
  description: 'resets connections to the replica (RST)',
  connections: { open: 'are reset, as many as the share says', new: 'are reset, as many as the share says' },
  lasts: 'time',
  keys: resetKeys,
  resolve({ reset: share = 1, ...source }, context) {
    const ramp = shareOf(share, 'reset', context);
    const targeted = ramp && resolveTarget(source, context);
    return targeted && { kind: 'reset', reset: ramp, ...targeted };
  },
  describe: ({ target, reset: share }) =>
    `reset ${describeRamp(share, formatShare)} of the connections to ${describeTarget(target)}`,
  subjects: subjectsOf,
};

const dnsKeys = {
  ...targetKeys,
  worker: wholeNumber(1, 10_000)
    .optional()
    .describe('With `kind: dns`: the worker, by its number, whose look-ups go wrong, in place of a replica.'),
  lookup: z.string().min(1).optional().describe('With `kind: dns`: the name that is looked up, such as gateway.'),
  answer: z
    .enum(['nxdomain', 'slow'])
    .optional()
    .describe('With `kind: dns`: nxdomain: there is no such name; slow: the answer is late by `delay`.'),
  delay,
};

interface Dns extends Targeted {
  readonly kind: 'dns';
  readonly lookup: string;
  /** Undefined: NXDOMAIN. Milliseconds. */
  readonly delay?: Ramp;
  /** In place of the target. */
  readonly worker?: number;
}

export const dns: FaultKind<Dns, typeof dnsKeys> = {
  description: 'a name cannot be looked up, or only slowly, inside a replica or a worker',
  connections: { open: 'go on', new: 'to that name fail or begin late' },
  lasts: 'time',
  keys: dnsKeys,
  resolve({ worker, lookup, answer, delay: late, ...source }, context) {
    const example = '{ at: 30s, kind: dns, lookup: gateway, answer: slow, delay: 2s, worker: 1, for: 20s }';
    if (lookup === undefined) return missingKey(context, 'lookup', 'dns', example);
    if (answer === undefined) return missingKey(context, 'answer', 'dns', example);
    if ((answer === 'slow') !== (late !== undefined)) {
      context.scenario.reportAtValue(
        context.path,
        'CONFLICT',
        '`delay` goes with `answer: slow`, and with that only',
        example,
      );
      return undefined;
    }
    const slow = late === undefined ? {} : { delay: rampOf(late) };
    // Look-ups that fail everywhere leave the replicas as they are.
    const targeted = worker === undefined ? resolveTarget({ allowTotal: true, ...source }, context) : undefined;
    if (worker !== undefined) return { kind: 'dns', lookup, ...slow, worker, target: { at: 'replicas', slots: [] } };
    return targeted && { kind: 'dns', lookup, ...slow, ...targeted };
  },
  describe: ({ target, lookup, delay: late, worker }) =>
    `${lookup} is ${late === undefined ? 'unknown' : `looked up ${describeRamp(late, formatDuration)} late`} in ` +
    (worker === undefined ? describeTarget(target) : `worker ${worker}`),
  subjects: ({ worker, ...targeted }) =>
    worker === undefined ? subjectsOf(targeted) : { of: 'workers', slots: [worker] },
};

function shareOf(source: number | Ramp, key: string, { path, scenario }: ActionContext): Ramp | undefined {
  const ramp = rampOf(source);
  if (ramp.from <= 1 && ramp.to <= 1) return ramp;
  scenario.reportAtValue([...path, key], 'INVALID_VALUE', 'a share is at most 100%');
  return undefined;
}
