/** Faults of replicas as processes: they end, stand still, start anew, or lack processor time or memory. */
import { z } from 'zod';
import { formatBytes } from '../grammar/units.js';
import { MAX_REPLICAS, percentage, size, TARGET_SERVICE, wholeNumber } from '../keys/fields.js';
import { describeRamp, type FaultKind, formatShare, missingKey, type Ramp, ramped, rampOf } from './fault-kind.js';
import {
  describeTarget,
  gatewayKeys,
  resolveTarget,
  service,
  subjectsOf,
  type Targeted,
  targetKeys,
} from './fault-targets.js';

const signals = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGABRT'] as const;

const killKeys = {
  ...targetKeys,
  ...gatewayKeys,
  signal: z.enum(signals).optional().describe('With `kind: kill`: the signal. Default SIGKILL.'),
};

interface Kill extends Targeted {
  readonly kind: 'kill';
  readonly signal: (typeof signals)[number];
}

export const kill: FaultKind<Kill, typeof killKeys> = {
  description:
    'sends a signal to the process; with `for`, what comes in its place is killed, too, until the time is over',
  connections: { open: 'are closed by the kernel (FIN or RST)', new: 'are refused until it is back' },
  lasts: 'once',
  keys: killKeys,
  resolve({ signal = 'SIGKILL', ...source }, context) {
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'kill', signal, ...targeted };
  },
  describe: ({ target, signal }) => `kill ${describeTarget(target)}${signal === 'SIGKILL' ? '' : ` by ${signal}`}`,
  subjects: subjectsOf,
};

interface Stop extends Targeted {
  readonly kind: 'stop';
}

export const stop: FaultKind<Stop, typeof targetKeys> = {
  description: 'ends the process in good order, as an operator does (SIGTERM, then SIGKILL)',
  connections: { open: 'are served to the end, as far as the server does that', new: 'are refused until it is back' },
  lasts: 'once',
  keys: targetKeys,
  resolve(source, context) {
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'stop', ...targeted };
  },
  describe: ({ target }) => `stop ${describeTarget(target)}`,
  subjects: subjectsOf,
};

interface Restart extends Targeted {
  readonly kind: 'restart';
}

export const restart: FaultKind<Restart, typeof targetKeys> = {
  description: 'ends the process in good order and starts it again at once',
  connections: { open: 'are closed', new: 'are refused until it is back' },
  lasts: 'moment',
  keys: targetKeys,
  resolve(source, context) {
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'restart', ...targeted };
  },
  describe: ({ target }) => `restart ${describeTarget(target)}`,
  subjects: subjectsOf,
};

const pauseKeys = { ...targetKeys, ...gatewayKeys };

interface Pause extends Targeted {
  readonly kind: 'pause';
}

export const pause: FaultKind<Pause, typeof pauseKeys> = {
  description: 'freezes the process (SIGSTOP, or the freezer of its control group)',
  connections: { open: 'stay open and silent', new: 'are accepted by the kernel and stay silent' },
  lasts: 'time',
  keys: pauseKeys,
  resolve(source, context) {
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'pause', ...targeted };
  },
  describe: ({ target }) => `pause ${describeTarget(target)}`,
  subjects: subjectsOf,
};

const scaleKeys = {
  service,
  replicas: wholeNumber(0, MAX_REPLICAS)
    .optional()
    .describe('With `kind: scale`: how many replicas the service has while the fault lasts.'),
};

/** A service of the stack has another number of replicas for a while. */
interface Scale {
  readonly kind: 'scale';
  readonly service: string;
  readonly replicas: number;
}

export const scale: FaultKind<Scale, typeof scaleKeys> = {
  description: 'gives a service another number of replicas',
  connections: {
    open: 'of replicas that go are served to the end, as far as the server does that',
    new: 'go to the replicas that are left or came',
  },
  lasts: 'time',
  keys: scaleKeys,
  resolve({ service: scaled = TARGET_SERVICE, replicas }, context) {
    if (replicas !== undefined) return { kind: 'scale', service: scaled, replicas };
    return missingKey(context, 'replicas', 'scale', '{ at: 60s, kind: scale, replicas: 16, for: 60s }');
  },
  describe: ({ service: scaled, replicas }) => `scale ${scaled} to ${replicas} replicas`,
  subjects: ({ service: scaled }) => ({ of: 'service', service: scaled }),
};

const cpuKeys = {
  ...targetKeys,
  cpu: ramped(percentage)
    .optional()
    .describe('With `kind: cpu`: how much processor time is burnt, in percent of one core; or a ramp { from, to }.'),
};

interface Cpu extends Targeted {
  readonly kind: 'cpu';
  /** 1 is one core. */
  readonly cpu: Ramp;
}

export const cpu: FaultKind<Cpu, typeof cpuKeys> = {
  description: 'burns processor time in the control group of the replica, or beside it where the kernel allows no more',
  connections: { open: 'stay open and get slow', new: 'stay possible and get slow' },
  lasts: 'time',
  keys: cpuKeys,
  resolve({ cpu: burnt, ...source }, context) {
    if (burnt === undefined) return missingKey(context, 'cpu', 'cpu', '{ at: 30s, kind: cpu, cpu: 90%, for: 20s }');
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'cpu', cpu: rampOf(burnt), ...targeted };
  },
  describe: ({ target, cpu: burnt }) =>
    `burn ${describeRamp(burnt, formatShare)} of a core at ${describeTarget(target)}`,
  subjects: subjectsOf,
};

const memoryKeys = {
  ...targetKeys,
  memory: ramped(size)
    .optional()
    .describe('With `kind: memory`: the limit that the replica has while the fault lasts; or a ramp { from, to }.'),
};

interface Memory extends Targeted {
  readonly kind: 'memory';
  /** Bytes. */
  readonly memory: Ramp;
}

export const memory: FaultKind<Memory, typeof memoryKeys> = {
  description: 'lowers the memory limit of the replica, which may be killed for it',
  connections: { open: 'stay open, unless the replica is killed', new: 'stay possible, unless the replica is killed' },
  lasts: 'time',
  keys: memoryKeys,
  resolve({ memory: limit, ...source }, context) {
    if (limit === undefined)
      return missingKey(context, 'memory', 'memory', '{ at: 30s, kind: memory, memory: 64 MiB, for: 20s }');
    const targeted = resolveTarget(source, context);
    return targeted && { kind: 'memory', memory: rampOf(limit), ...targeted };
  },
  describe: ({ target, memory: limit }) =>
    `limit the memory of ${describeTarget(target)} to ${describeRamp(limit, formatBytes)}`,
  subjects: subjectsOf,
};
