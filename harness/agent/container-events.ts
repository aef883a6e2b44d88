/** What an engine says has happened to the containers of its tasks, beyond their statistics. */
import { z } from 'zod';
import { type ContainerLabels, taskLabels } from './container-labels.js';

/** The actions that the engine is asked for; a health check of its own would flood the rest. */
export const EVENTS = ['die', 'oom', 'pause', 'unpause', 'kill', 'health_status'] as const;

export interface ContainerEvent {
  /** The same event has the same id however often it is read. */
  readonly id: string;
  readonly action: 'die' | 'oom' | 'pause' | 'unpause' | 'kill' | 'healthy' | 'unhealthy';
  /** The full id of the container. */
  readonly container: string;
  readonly labels: ContainerLabels;
  /** Epoch ms, by the clock of the node. */
  readonly at: number;
  /** Of `die`. */
  readonly exitCode?: number;
  /** Of `kill`: its number. */
  readonly signal?: number;
}

// Docker Engine API 1.41 and later, GET /events.
const message = z.object({
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
  timeNano: z.number(),
});

const ACTIONS: Readonly<Record<string, ContainerEvent['action']>> = {
  die: 'die',
  oom: 'oom',
  pause: 'pause',
  unpause: 'unpause',
  kill: 'kill',
  'health_status: healthy': 'healthy',
  'health_status: unhealthy': 'unhealthy',
};

/** Undefined for what is no event of a task. @param raw one JSON object of the stream; `node`: name of this node */
export function eventOf(raw: unknown, node: string): ContainerEvent | undefined {
  const parsed = message.safeParse(raw);
  if (!parsed.success) return undefined;
  const {
    Action,
    Actor: { ID, Attributes },
    timeNano,
  } = parsed.data;
  const action = ACTIONS[Action];
  const labels = taskLabels(Attributes, node);
  if (action === undefined || labels === undefined) return undefined;
  return {
    id: `${ID.slice(0, 12)} ${Action} ${timeNano}`,
    action,
    container: ID,
    labels,
    at: Math.round(timeNano / 1e6),
    ...(action === 'die' ? numberOf('exitCode', Attributes.exitCode) : {}),
    ...(action === 'kill' ? numberOf('signal', Attributes.signal) : {}),
  };
}

function numberOf<Key extends 'exitCode' | 'signal'>(key: Key, text: string | undefined): { [K in Key]?: number } {
  const value = Number(text);
  return text === undefined || !Number.isInteger(value) ? {} : ({ [key]: value } as { [K in Key]?: number });
}
