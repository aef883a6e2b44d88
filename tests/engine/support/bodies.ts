/**
 * The bodies that create a stack, by kind and name, without the ids that only exist then and without what Go sends as
 * nothing.
 */
import type { StackSpec } from '../../../harness/platform/swarm/compose/compose-to-swarm.js';
import type { Recorded } from './recording-proxy.js';

type Bodies = Readonly<Record<string, unknown>>;

const KINDS = ['networks', 'secrets', 'configs', 'services'] as const;

export function bodiesOf(stack: StackSpec): Bodies {
  return Object.fromEntries(KINDS.flatMap((kind) => stack[kind].map((body) => [`${kind} ${body.Name}`, normal(body)])));
}

export function recordedBodies(recorded: readonly Recorded[]): Bodies {
  return Object.fromEntries(recorded.map(({ kind, body }) => [`${kind} ${String(body.Name)}`, normal(body)]));
}

/** Fields of a network that our bodies leave out, and the API version decides about. */
const NETWORK_DEFAULTS = new Set([
  'CheckDuplicate',
  'Scope',
  'Ingress',
  'ConfigOnly',
  'ConfigFrom',
  'EnableIPv4',
  'EnableIPv6',
]);

function normal(body: unknown): unknown {
  return JSON.parse(
    JSON.stringify(body, (key, value: unknown) => {
      if (NETWORK_DEFAULTS.has(key)) return undefined;
      if (key === 'SecretID' || key === 'ConfigID') return 'an id';
      if (key === 'Config' && typeof value === 'string' && value !== '') return 'an id';
      if ((key === 'Options' || key === 'IPAM') && value === null) return undefined;
      // The CLI mounts one object twice in whatever order its maps have.
      if ((key === 'Secrets' || key === 'Configs') && Array.isArray(value))
        return value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      return value;
    }),
  );
}
