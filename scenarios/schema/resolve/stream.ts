/** The stream of a profile: what it subscribes to, when it is away. */

import { suggest } from '../../yaml/nearest.js';
import type { ProfileSource } from '../keys/profile-schema.js';
import type { Era, OperationPlan, StreamPlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';
import { factsOf, type TransportName } from '../transports.js';

export const SUBSCRIBE = 'resources/subscribe';

interface StreamContext {
  readonly era: Era;
  /** As the profile has it, or the target leaves no other. */
  readonly transport: TransportName;
  /** Names of the scenario's stages. */
  readonly stages: readonly string[];
}

/** @returns undefined where clients open no stream, or when something is wrong, which is reported */
export function resolveStream(
  source: ProfileSource,
  operations: readonly OperationPlan[],
  profile: SourcePart,
  { era, transport, stages }: StreamContext,
): StreamPlan | undefined {
  const subscribes = operations.some(({ method }) => method === SUBSCRIBE);
  const written = source.stream;
  if (!subscribes && written?.open !== true) {
    for (const key of ['away', 'resume'] as const) {
      if (written?.[key] !== undefined)
        profile.reportAtKey(
          ['stream', key],
          'CONFLICT',
          'this profile opens no stream',
          'give it an operation { subscribe: URI }, or stream: { open: true }',
        );
    }
    return undefined;
  }
  const session = typeof source.session === 'string' ? source.session : source.session.mode;
  if (session === 'pool' || session === 'per-request') {
    profile.reportAtValue(
      ['session'],
      'CONFLICT',
      `a stream belongs to one client and lasts, so session: ${session} has no place for it`,
      'use session: reuse or churn',
    );
  }
  if (subscribes && written?.open === false) {
    profile.reportAtKey(
      ['stream', 'open'],
      'CONFLICT',
      'a subscription is heard of on a stream',
      'take `open` out, or the subscription',
    );
  }
  if (!subscribes && era === 'modern') {
    profile.reportAtKey(
      ['stream', 'open'],
      'CONFLICT',
      'the stateless era (2026-07-28) has no stream without a subscription',
      'give it an operation { subscribe: URI }, or set target.era: legacy',
    );
  }
  if (written?.resume === true && era === 'modern') {
    profile.reportAtKey(
      ['stream', 'resume'],
      'CONFLICT',
      'the stateless era (2026-07-28) cannot resume a stream',
      'take it out, or set target.era: legacy',
    );
  }
  const { serverMessages } = factsOf(transport);
  if (serverMessages === 'none') {
    profile.reportAtValue(
      ['transport'],
      'CONFLICT',
      `over ${transport} nothing is heard of what a server says by itself: no streams, no subscriptions`,
      'use another transport',
    );
  }
  if (serverMessages === 'connection' && written?.resume === true) {
    profile.reportAtKey(
      ['stream', 'resume'],
      'CONFLICT',
      `over ${transport} nothing can be resumed: what a server says is said to the session's link, and gone with it`,
      'take it out, or use streamable-http',
    );
  }
  (written?.away ?? []).forEach((name, index) => {
    if (!stages.includes(name))
      profile.reportAtValue(
        ['stream', 'away', index],
        'NOT_FOUND',
        `no stage is named \`${name}\``,
        suggest(name, stages, 'stages'),
      );
  });
  return { away: written?.away ?? [], resume: serverMessages === 'streams' && (written?.resume ?? true) };
}
