/** The stream of a profile: whether its clients have one, and when they are away from it. */
import { suggest } from '../../yaml/nearest.js';
import type { ProfileSource } from '../keys/profile-schema.js';
import type { Era, OperationPlan, StreamPlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';
import { factsOf, type TransportName, transportsWhere } from '../transports.js';

export const SUBSCRIBE = 'resources/subscribe';

interface StreamContext {
  readonly era: Era;
  /** Of the profile, or else the only one that the target allows. */
  readonly transport: TransportName;
  /** Names of the scenario's stages. */
  readonly stages: readonly string[];
}

/** @returns undefined where clients open no stream */
export function resolveStream(
  source: ProfileSource,
  operations: readonly OperationPlan[],
  profilePart: SourcePart,
  context: StreamContext,
): StreamPlan | undefined {
  const subscribes = operations.some(({ method }) => method === SUBSCRIBE);
  const written = source.stream ?? {};
  if (!subscribes && written.open !== true) {
    refuseKeysWithoutStream(written, profilePart);
    return undefined;
  }
  checkSession(source, profilePart);
  checkEra(written, subscribes, context.era, profilePart);
  checkTransport(written, context.transport, profilePart);
  checkAway(written, context.stages, profilePart);
  const { serverMessages } = factsOf(context.transport);
  return { away: written.away ?? [], resume: serverMessages === 'streams' && (written.resume ?? true) };
}

type StreamSource = NonNullable<ProfileSource['stream']>;

function refuseKeysWithoutStream(written: StreamSource, profilePart: SourcePart): void {
  for (const key of ['away', 'resume'] as const) {
    if (written[key] === undefined) continue;
    profilePart.reportAtKey(
      ['stream', key],
      'CONFLICT',
      'this profile opens no stream',
      'give it an operation { subscribe: URI }, or stream: { open: true }',
    );
  }
}

function checkSession(source: ProfileSource, profilePart: SourcePart): void {
  const mode = typeof source.session === 'string' ? source.session : source.session.mode;
  if (mode !== 'pool' && mode !== 'per-request') return;
  profilePart.reportAtValue(
    ['session'],
    'CONFLICT',
    `a stream belongs to one client and stays open, so it does not go with session: ${mode}`,
    'use session: reuse or churn',
  );
}

function checkEra(written: StreamSource, subscribes: boolean, era: Era, profilePart: SourcePart): void {
  if (subscribes && written.open === false) {
    profilePart.reportAtKey(
      ['stream', 'open'],
      'CONFLICT',
      'a subscription needs an open stream',
      'remove `open`, or the subscription',
    );
  }
  if (!subscribes && era === 'modern') {
    profilePart.reportAtKey(
      ['stream', 'open'],
      'CONFLICT',
      'the stateless era (2026-07-28) has no stream without a subscription',
      'give it an operation { subscribe: URI }, or set target.era: legacy',
    );
  }
  if (written.resume === true && era === 'modern') {
    profilePart.reportAtKey(
      ['stream', 'resume'],
      'CONFLICT',
      'the stateless era (2026-07-28) cannot resume a stream',
      'remove it, or set target.era: legacy',
    );
  }
}

function checkTransport(written: StreamSource, transport: TransportName, profilePart: SourcePart): void {
  const { serverMessages } = factsOf(transport);
  if (serverMessages === 'none') {
    profilePart.reportAtValue(
      ['transport'],
      'CONFLICT',
      `${transport} has neither streams nor subscriptions`,
      'use another transport',
    );
  }
  if (serverMessages === 'connection' && written.resume === true) {
    const resuming = transportsWhere((facts) => facts.serverMessages === 'streams').join(' or ');
    profilePart.reportAtKey(
      ['stream', 'resume'],
      'CONFLICT',
      `over ${transport} nothing can be resumed: the server's messages come on the session's connection, ` +
        'and are lost with it',
      `remove it, or use ${resuming}`,
    );
  }
}

function checkAway({ away = [] }: StreamSource, stages: readonly string[], profilePart: SourcePart): void {
  for (const [index, name] of away.entries()) {
    if (stages.includes(name)) continue;
    profilePart.reportAtValue(
      ['stream', 'away', index],
      'NOT_FOUND',
      `no stage is named \`${name}\``,
      suggest(name, stages, 'stages'),
    );
  }
}
