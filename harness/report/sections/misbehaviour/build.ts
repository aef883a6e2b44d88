import { z } from 'zod';
import {
  ANSWERED_NORMALLY,
  misbehaviourKey,
  parseMisbehaviourKey,
} from '../../../../client-sim/protocol/misbehaviour-key.js';
import type { MalformedKind } from '../../../../scenarios/schema/misbehave.js';
import type { ProfilePlan } from '../../../../scenarios/schema/plan.js';
import { factsOf } from '../../../../scenarios/schema/transports.js';
import { allStages } from '../../../analysis/facts/stages.js';
import type { Aggregate } from '../../../analysis/merge/aggregate.js';
import { byKey, byName } from '../../../analysis/order.js';
import type { BuildInput, SectionData } from '../report-section.js';
import { exchangeFields, exchangeOf } from '../shared/exchange.js';
import { count, maybe } from '../shared/fields.js';
import { operationFields } from '../shared/traffic.js';

/** What clients did wrong on purpose, and how the server reacted. */
export function buildMisbehaviour({ plan, aggregate }: BuildInput): Misbehaviour[] {
  return plan.profiles.flatMap(({ name, transport }) => {
    const { misbehaved } = aggregate.select({ stages: allStages(plan), profile: name });
    const byKind = new Map<string, Reaction[]>();
    for (const [key, count] of [...misbehaved].sort(([a, many], [b, more]) => more - many || byName(a, b))) {
      const { kind, reaction } = parseMisbehaviourKey(key);
      const reactions = byKind.get(kind) ?? [];
      byKind.set(kind, reactions);
      reactions.push({
        reaction,
        count,
        ...judge(kind, reaction, transport),
        sample: sampleOf(aggregate, kind, reaction),
      });
    }
    return [...byKind].sort(byKey).map(([kind, reactions]) => ({
      profile: name,
      kind,
      done: reactions.reduce((sum, { count }) => sum + count, 0),
      reactions,
    }));
  });
}

function sampleOf(aggregate: Aggregate, kind: string, reaction: string): Reaction['sample'] {
  const sample = aggregate.samples().get(misbehaviourKey(kind, reaction))?.[0];
  return sample === undefined ? null : { atSeconds: sample.atMs / 1000, ...exchangeOf(sample) };
}

type Judged = Pick<Reaction, 'judgement' | 'meaning'>;

function right(meaning: string): Judged {
  return { judgement: 'right', meaning };
}
function wrong(meaning: string): Judged {
  return { judgement: 'wrong', meaning };
}
function neutral(meaning: string): Judged {
  return { judgement: 'neutral', meaning };
}

type Transport = ProfilePlan['transport'];

function judge(kind: string, reaction: string, transport: Transport): Judged {
  if (reaction === 'connect') return wrong('no connection');
  if (reaction.startsWith('http_5')) return wrong(`HTTP ${reaction.slice(5)}: it made the server fail`);
  if (reaction === 'aborted_by_us') return neutral('the run ended first');
  if (kind.startsWith('malformed/'))
    return judgeMalformed(kind.slice('malformed/'.length) as MalformedKind, reaction, transport);
  switch (kind) {
    case 'abort/mid-handshake':
      return reaction === 'closed' ? neutral('closed during the handshake') : neutral('the server was faster');
    case 'abort/mid-request':
      return reaction === 'closed'
        ? neutral('closed when half of the request was sent')
        : neutral('the server was faster');
    case 'abort/after-request':
      return reaction === 'closed' ? neutral('closed when the request was sent') : neutral('the server was faster');
    case 'abort/mid-answer':
      return reaction === 'closed'
        ? neutral('closed after the first bytes of the answer')
        : neutral('there was nothing to cut off');
    case 'reconnect':
      return neutral('connections lost');
    case 'reconnect/return':
      return reaction === ANSWERED_NORMALLY
        ? right('came back and was answered')
        : wrong('came back, and its first operation failed');
    case 'idle':
      return judgeIdle(reaction);
    default:
      return reaction === ANSWERED_NORMALLY
        ? right('answered nevertheless')
        : neutral('the server ended it, or the time was up');
  }
}

function judgeIdle(reaction: string): Judged {
  if (reaction === ANSWERED_NORMALLY) return right('the session was alive');
  if (reaction === 'session_lost') return neutral('the server had ended the session, and said so');
  return wrong('the session was neither alive nor properly ended');
}

/** Nothing forbids an answer to these; only WebSocket forbids one to text that is not UTF-8 (RFC 6455, 8.1). */
const tolerable: ReadonlySet<MalformedKind> = new Set(['oversize', 'duplicate-id', 'not-utf8']);
/** After these, the server cannot or need not read the rest of the connection. */
const endsConnection: ReadonlySet<MalformedKind> = new Set([
  'wrong-framing',
  'oversize',
  'unmasked',
  'reserved-bits',
  'bad-opcode',
  'huge-length',
]);
/** Messages whose id cannot be read, so that no answer can name it. */
const withoutId: ReadonlySet<MalformedKind> = new Set(['broken-json', 'wrong-framing', 'not-utf8']);

function judgeMalformed(kind: MalformedKind, reaction: string, transport: Transport): Judged {
  const { framing } = factsOf(transport);
  const isText = kind === 'not-utf8' && framing === 'websocket';
  if (reaction === 'timeout') {
    return withoutId.has(kind) && framing === 'line' ? neutral('ignored without an answer') : wrong('no answer at all');
  }
  if (reaction === 'stream_lost')
    return endsConnection.has(kind) || isText
      ? right('the connection was closed')
      : wrong('the connection was closed without an answer');
  if (reaction === ANSWERED_NORMALLY)
    return tolerable.has(kind) && !isText
      ? neutral('answered like a valid request')
      : wrong('answered like a valid request');
  if (reaction.startsWith('http_4')) return right(`refused with HTTP ${reaction.slice(5)}`);
  if (reaction.startsWith('rpc_')) return right(`refused with JSON-RPC error ${reaction.slice(4)}`);
  return wrong('an answer that is neither a refusal nor a result');
}

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
