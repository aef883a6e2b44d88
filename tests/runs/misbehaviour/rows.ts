import { expect } from '@jest/globals';
import type { WireConnection, WireLog } from '../../servers/wire-server.js';
import { distinct, median } from '../../support/calls.js';
import type { Rows } from '../../support/key-rows.js';
import { countOf, misbehavingRuns, reactions, type WireEvidence } from './runs.js';

/** Connections of operations that misbehave, whose ids count down from the last; ids of others count up. */
function misbehavingConnections({ connections }: WireLog): readonly WireConnection[] {
  return connections.filter(({ requests }) => requests.some(({ message }) => (message.id ?? 0) >= 2_000_000_000));
}

async function abortsOnTheWire(): Promise<void> {
  const { aborting } = await misbehavingRuns();
  const aborted = misbehavingConnections(aborting.log);
  expect(aborted.every(({ requests, ended }) => requests.length === 1 && (ended === 'fin' || ended === 'rst'))).toBe(
    true,
  );
  const [after, mid] = [countOf(aborting, 'abort/after-request'), countOf(aborting, 'abort/mid-answer')];
  expect(after).toBeGreaterThan(0);
  expect(mid).toBeGreaterThan(0);
  expect(countOf(aborting, 'abort/mid-request')).toBeGreaterThan(0);
  // Each request came whole, but for those that were left in the middle, and each connection was closed by the client.
  expect(aborted).toHaveLength(after + mid);
  // Unread bytes of an answer turn the close into a reset; where none has come it is a FIN.
  const resets = aborted.filter(({ ended }) => ended === 'rst');
  expect(Math.abs(resets.length - mid)).toBeLessThanOrEqual(2);
  expect(resets.every(({ answersBegun }) => answersBegun === 1)).toBe(true);
  // The second half of a long answer was still with the server when the connection was closed.
  const long = resets.filter(({ requests }) => requests[0]?.message.params?.name === 'long');
  expect(long.every(({ answersTaken }) => answersTaken === 0)).toBe(true);
}

async function malformsOnTheWire(): Promise<void> {
  const { malforming } = await misbehavingRuns();
  const requests = malforming.log.connections
    .flatMap((connection) => connection.requests)
    .filter(({ isPreflight }) => !isPreflight);
  const seen = (spoilt: string): number => requests.filter((request) => request.spoilt === spoilt).length;
  const repeated =
    requests.length -
    distinct(
      requests.map(({ session, message }, index) =>
        message.id === undefined || message.method === 'initialize' ? index : `${session ?? ''} ${message.id}`,
      ),
    );
  expect(reactions(malforming, 'malformed/broken-json')).toEqual({ http_400: seen('json') });
  expect(reactions(malforming, 'malformed/wrong-framing')).toEqual({ http_400: seen('framing') });
  expect(reactions(malforming, 'malformed/unknown-method')).toEqual({
    'rpc_-32601': requests.filter(({ message }) => message.method === 'swarmbench/no-such-method').length,
  });
  expect(reactions(malforming, 'malformed/duplicate-id')).toEqual({ http_400: repeated });
  expect(countOf(malforming, 'malformed/oversize')).toBe(seen('too-long'));
  for (const kind of ['broken-json', 'wrong-framing', 'unknown-method', 'duplicate-id', 'oversize', 'not-utf8'])
    expect(countOf(malforming, `malformed/${kind}`)).toBeGreaterThan(0);
}

async function abortsAsManyAsAsked(): Promise<void> {
  const { resetting } = await misbehavingRuns();
  const { sent } = resetting.report.summary;
  // 2 clients at 20/s for 3 s; with this many, a share of one half cannot look like 0.2.
  expect(sent).toBeGreaterThan(60);
  const share = countOf(resetting, 'abort/after-request') / sent;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.8);
}

async function abortsOnlyAsAsked(): Promise<void> {
  const { resetting } = await misbehavingRuns();
  expect(resetting.report.misbehaviour.map(({ kind }) => kind)).toEqual(['abort/after-request']);
}

async function resets(): Promise<void> {
  const { resetting } = await misbehavingRuns();
  const left = misbehavingConnections(resetting.log);
  expect(left.length).toBeGreaterThan(0);
  // Nothing had been answered, so that only a reset on purpose is one.
  expect(left.filter(({ answersBegun }) => answersBegun === 0).map(({ ended }) => ended)).toEqual(
    left.filter(({ answersBegun }) => answersBegun === 0).map(() => 'rst'),
  );
}

async function asManyAsAsked(): Promise<void> {
  const { malforming } = await misbehavingRuns();
  const all = malforming.report.misbehaviour.reduce((sum, { done }) => sum + done, 0);
  const { sent } = malforming.report.summary;
  expect(sent).toBeGreaterThan(100);
  expect(all / sent).toBeGreaterThan(0.2);
  expect(all / sent).toBeLessThan(0.8);
}

async function onlyTheKindsAsked(): Promise<void> {
  const { allMalformed } = await misbehavingRuns();
  expect(['malformed/broken-json', 'malformed/unknown-method']).toEqual(
    expect.arrayContaining(allMalformed.report.misbehaviour.map(({ kind }) => kind)),
  );
  expect(allMalformed.report.summary.sent).toBeGreaterThan(0);
  expect(countOf(allMalformed, 'malformed/broken-json') + countOf(allMalformed, 'malformed/unknown-method')).toBe(
    allMalformed.report.summary.sent,
  );
}

async function asLongAsAsked(): Promise<void> {
  const { malforming } = await misbehavingRuns();
  const long = malforming.log.connections.filter(({ requests }) =>
    requests.some(({ spoilt }) => spoilt === 'too-long'),
  );
  expect(long.length).toBeGreaterThan(0);
  for (const { requests } of long) expect(Number(requests[0]?.headers['content-length'])).toBe(2 * 1024 * 1024);
}

async function writesSlowly(): Promise<void> {
  const { writing } = await misbehavingRuns();
  const [session] = writing.log.sessionsOpened;
  const line = writing.log.connections.find(({ requests }) => requests.some((request) => request.session === session));
  const pieces = line?.pieces ?? [];
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const seconds = ((pieces.at(-1)?.atMs ?? 0) - (pieces[0]?.atMs ?? 0)) / 1000;
  // 2,048 bytes a second in pieces of 204; a server that was held up finds several pieces at once.
  expect(total / seconds).toBeLessThan(2048 * 1.4);
  expect(median(pieces.map(({ bytes }) => bytes))).toBeLessThanOrEqual(408);
  expect(pieces.length).toBeGreaterThan((line?.requests.length ?? 0) * 1.2);
  expect(reactions(writing, 'writeRate').result).toBe(writing.report.summary.succeeded);
}

async function idles(): Promise<void> {
  const { idling } = await misbehavingRuns();
  expect(idling.log.sessionsOpened).toHaveLength(3);
  let calls = 0;
  for (const session of idling.log.sessionsOpened) {
    const requests = idling.log.connections
      .flatMap((connection) => connection.requests)
      .filter((request) => request.session === session && request.verb === 'POST');
    const [initialized, ...later] = requests;
    // 4 s hold three stretches of 1.2 s; a server that is held up sees the beginning late.
    expect(later.length).toBeLessThanOrEqual(3);
    for (const [index, { atMs }] of later.entries())
      expect(atMs - (initialized?.atMs ?? 0)).toBeGreaterThan((index + 1) * 1200 * 0.5);
    calls += later.length;
  }
  expect(calls).toBeGreaterThan(0);
  expect(reactions(idling, 'idle')).toEqual({ result: calls });
}

/** The connections that each session of the load was seen on. */
function bySession({ log }: WireEvidence): ReadonlyMap<string, readonly WireConnection[]> {
  return new Map(
    log.sessionsOpened.map((session) => [
      session,
      log.connections.filter(({ requests }) => requests.some((request) => request.session === session)),
    ]),
  );
}

async function losesConnectionsTogether(): Promise<void> {
  const { storming } = await misbehavingRuns();
  const sessions = bySession(storming);
  expect(sessions.size).toBe(4);
  const cut = countOf(storming, 'reconnect');
  expect(cut).toBeGreaterThanOrEqual(4);
  const connections = [...sessions.values()].flat();
  // A connection that was lost before its first request is one that no session can be told of.
  expect(connections.length).toBeLessThanOrEqual(4 + cut);
  expect(storming.log.connections.length).toBeGreaterThanOrEqual(4 + cut);
  // In each storm all four lose theirs before any loses its next one.
  const ends = [...sessions]
    .flatMap(([session, lines]) => lines.slice(0, -1).map(({ endedAtMs = Infinity }) => ({ session, endedAtMs })))
    .sort((a, b) => a.endedAtMs - b.endedAtMs);
  expect(distinct(ends.slice(0, 4).map(({ session }) => session))).toBe(4);
  expect(storming.log.sessionsDeleted.length).toBe(4);
}

async function losesThemOneByOne(): Promise<void> {
  const { scattered } = await misbehavingRuns();
  const first = scattered.log.sessionsOpened.slice(0, 4);
  const ends = [...bySession(scattered)]
    .filter(([session]) => first.includes(session))
    .map(([, lines]) => lines.at(-1)?.endedAtMs ?? Number.NaN);
  // A quarter of a second apart.
  expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(250);
}

async function leavesSessionsBehind(): Promise<void> {
  const { scattered } = await misbehavingRuns();
  const cut = countOf(scattered, 'reconnect');
  expect(cut).toBeGreaterThanOrEqual(4);
  const { sessionsOpened: opened, sessionsDeleted: deleted } = scattered.log;
  // Each cut leaves one behind. A client that was cut when nothing more was due has none to end with.
  expect(opened.length - deleted.length).toBe(cut);
  expect(deleted.length).toBeLessThanOrEqual(4);
  expect(opened.length).toBeGreaterThan(4);
}

async function everySecond(): Promise<void> {
  const { storming } = await misbehavingRuns();
  // At 1, 2 and 3 s of 3.5.
  expect(countOf(storming, 'reconnect')).toBeLessThanOrEqual(12);
  expect(countOf(storming, 'reconnect/return')).toBeLessThanOrEqual(countOf(storming, 'reconnect'));
}

export const misbehaveRows: Rows = {
  'profile.misbehave.writeRate': writesSlowly,
  'profile.misbehave.abort': abortsOnTheWire,
  'profile.misbehave.abort.share': abortsAsManyAsAsked,
  'profile.misbehave.abort.kinds': abortsOnlyAsAsked,
  'profile.misbehave.abort.how': resets,
  'profile.misbehave.malformed': malformsOnTheWire,
  'profile.misbehave.malformed.share': asManyAsAsked,
  'profile.misbehave.malformed.kinds': onlyTheKindsAsked,
  'profile.misbehave.malformed.oversize': asLongAsAsked,
  'profile.misbehave.idle': idles,
  'profile.misbehave.reconnect': losesConnectionsTogether,
  'profile.misbehave.reconnect.every': everySecond,
  'profile.misbehave.reconnect.together': losesThemOneByOne,
  'profile.misbehave.reconnect.session': leavesSessionsBehind,
};
