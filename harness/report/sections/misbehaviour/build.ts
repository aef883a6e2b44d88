import {
  ANSWERED_NORMALLY,
  misbehaviourKey,
  parseMisbehaviourKey,
} from '../../../../client-sim/protocol/misbehaviour-key.js';
import type { MalformedKind } from '../../../../scenarios/schema/misbehave.js';
import { takesPart } from '../../../../scenarios/schema/offered-load.js';
import type { Plan, ProfilePlan, StagePlan } from '../../../../scenarios/schema/plan.js';
import { factsOf } from '../../../../scenarios/schema/transports.js';
import type { Aggregate } from '../../../analysis/merge/contract.js';
import { operationsBlock } from '../../blocks.js';
import type { Report } from '../../schema.js';

/** What clients did wrong on purpose, and what the server made of it. */

type Misbehaviour = Report['misbehaviour'][number];
type Reaction = Misbehaviour['reactions'][number];
type Judged = Pick<Reaction, 'judgement' | 'meaning'>;

export function misbehaviourBlock(plan: Plan, aggregate: Aggregate): Report['misbehaviour'] {
  return plan.profiles.flatMap(({ name, transport }) => {
    const { misbehaved } = aggregate.select({ stages: plan.stages.map(({ index }) => index), profile: name });
    const byKind = new Map<string, Reaction[]>();
    for (const [key, count] of [...misbehaved].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))) {
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
    return [...byKind]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([kind, reactions]): Misbehaviour => ({
          profile: name,
          kind,
          done: reactions.reduce((sum, { count }) => sum + count, 0),
          reactions,
        }),
      );
  });
}

function sampleOf(aggregate: Aggregate, kind: string, reaction: string): Reaction['sample'] {
  const sample = aggregate.samples().get(misbehaviourKey(kind, reaction));
  if (sample === undefined) return null;
  const { atMs, operation, detail, request, response } = sample;
  return {
    atSeconds: atMs / 1000,
    operation,
    detail,
    ...(request === undefined ? {} : { request }),
    ...(response === undefined ? {} : { response }),
  };
}

function right(meaning: string): Judged {
  return { judgement: 'right', meaning };
}
function wrong(meaning: string): Judged {
  return { judgement: 'wrong', meaning };
}
function neutral(meaning: string): Judged {
  return { judgement: 'neutral', meaning };
}

type Transport = Plan['profiles'][number]['transport'];

function judge(kind: string, reaction: string, transport: Transport): Judged {
  if (reaction === 'connect') return wrong('no connection');
  if (reaction.startsWith('http_5')) return wrong(`HTTP ${reaction.slice(5)}: the server failed over it`);
  if (reaction === 'aborted_by_us') return neutral('the run ended first');
  if (kind.startsWith('malformed/'))
    return judgeMalformed(kind.slice('malformed/'.length) as MalformedKind, reaction, transport);
  switch (kind) {
    case 'abort/mid-handshake':
      return reaction === 'closed' ? neutral('closed within the handshake') : neutral('the server was faster');
    case 'abort/mid-request':
      return reaction === 'closed'
        ? neutral('closed when half of the request was sent')
        : neutral('the server was faster');
    case 'abort/after-request':
      return reaction === 'closed' ? neutral('closed when the request was sent') : neutral('the server was faster');
    case 'abort/mid-answer':
      return reaction === 'closed'
        ? neutral('closed after the first bytes of the answer')
        : neutral('there was nothing to cut');
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
        ? right('answered all the same')
        : neutral('the server had enough of it, or we ran out of time');
  }
}

function judgeIdle(reaction: string): Judged {
  if (reaction === ANSWERED_NORMALLY) return right('the session was alive');
  if (reaction === 'session_lost') return neutral('the server had ended the session, and said so');
  return wrong('the session was neither alive nor properly ended');
}

/** Nothing forbids an answer to these; to a text that is no UTF-8 only WebSocket does (RFC 6455, 8.1). */
const tolerable: ReadonlySet<MalformedKind> = new Set(['oversize', 'duplicate-id', 'not-utf8']);
/** After these the connection cannot be read on with certainty, or need not be. */
const endsConnection: ReadonlySet<MalformedKind> = new Set([
  'wrong-framing',
  'oversize',
  'unmasked',
  'reserved-bits',
  'bad-opcode',
  'huge-length',
]);
/** Whose id nobody can read, so that an answer would say of no request that it is its own. */
const nameless: ReadonlySet<MalformedKind> = new Set(['broken-json', 'wrong-framing', 'not-utf8']);

function judgeMalformed(kind: MalformedKind, reaction: string, transport: Transport): Judged {
  const { framing } = factsOf(transport);
  const isText = kind === 'not-utf8' && framing === 'websocket';
  if (reaction === 'timeout') {
    return nameless.has(kind) && framing === 'line'
      ? neutral('passed over in silence')
      : wrong('no answer at all: it hung');
  }
  if (reaction === 'stream_lost')
    return endsConnection.has(kind) || isText
      ? right('the connection was closed')
      : wrong('the connection was closed without a word');
  if (reaction === ANSWERED_NORMALLY)
    return tolerable.has(kind) && !isText
      ? neutral('answered as if nothing were wrong')
      : wrong('answered as if nothing were wrong');
  if (reaction.startsWith('http_4')) return right(`refused with HTTP ${reaction.slice(5)}`);
  if (reaction.startsWith('rpc_')) return right(`refused with JSON-RPC error ${reaction.slice(4)}`);
  return wrong('an answer that is neither a refusal nor a result');
}

/**
 * Whether those that behave suffer from those that do not: the same profile with and without a misbehaving one beside
 * it.
 */

type Row = Report['neighbours'][number];
type Side = Row['alone'];

export function neighbourBlock(plan: Plan, aggregate: Aggregate): Report['neighbours'] {
  return plan.profiles
    .filter((profile) => !misbehaves(profile))
    .flatMap(({ name }): Row[] => {
      const stages = plan.stages.filter((stage) => stage.measured && takesPart(stage, name));
      const alone = stages.filter((stage) => misbehavingProfiles(plan, stage).length === 0);
      const beside = stages.filter((stage) => misbehavingProfiles(plan, stage).length > 0);
      if (alone.length === 0 || beside.length === 0) return [];
      const [quiet, noisy] = [sideOf(aggregate, name, alone), sideOf(aggregate, name, beside)];
      return [
        {
          profile: name,
          neighbours: [...new Set(beside.flatMap((stage) => misbehavingProfiles(plan, stage)))],
          alone: quiet,
          beside: noisy,
          ratio: {
            throughput: ratio(noisy.throughputPerSecond, quiet.throughputPerSecond),
            p50: ratio(noisy.latencyMs.p50, quiet.latencyMs.p50),
            p95: ratio(noisy.latencyMs.p95, quiet.latencyMs.p95),
            p99: ratio(noisy.latencyMs.p99, quiet.latencyMs.p99),
          },
          errorRateDifference:
            noisy.errorRate === null || quiet.errorRate === null ? null : noisy.errorRate - quiet.errorRate,
        },
      ];
    });
}

function misbehaves({ misbehave }: ProfilePlan): boolean {
  return Object.keys(misbehave).length > 0;
}

function misbehavingProfiles(plan: Plan, stage: StagePlan): readonly string[] {
  return plan.profiles
    .filter((profile) => misbehaves(profile) && takesPart(stage, profile.name))
    .map(({ name }) => name);
}

function sideOf(aggregate: Aggregate, profile: string, stages: readonly StagePlan[]): Side {
  const indices = stages.map(({ index }) => index);
  const seconds = indices.reduce((sum, stage) => sum + aggregate.observedMs(stage), 0) / 1000;
  return {
    stages: [...new Set(stages.map(({ name }) => name))],
    ...operationsBlock(aggregate.select({ stages: indices, profile }), seconds),
  };
}

function ratio(of: number | null, to: number | null): number | null {
  return of === null || to === null || to === 0 ? null : of / to;
}
