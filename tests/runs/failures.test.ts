import { describe, expect, test } from '@jest/globals';
import { slowChunks, wrongly } from '../servers/behaviours.js';
import type { Behaviour } from '../servers/call.js';
import { startTestServer } from '../servers/test-server.js';
import { operationTotals } from '../support/run-files.js';
import { run, simpleScenario } from '../support/swarmbench.js';

/** What a client must make of each way of going wrong. */
const categories: Readonly<Record<Exclude<keyof typeof wrongly, 'tooManyForASecond' | 'lostSession'>, string>> = {
  wrongId: 'protocol_violation',
  toolError: 'tool_error',
  rpcError: 'rpc_-32050',
  brokenJson: 'protocol_violation',
  notMcp: 'protocol_violation',
  serverError: 'http_500',
  tooMany: 'http_429',
  redirect: 'http_302',
  closedSocket: 'stream_lost',
  halfAnswer: 'stream_lost',
  halfStream: 'stream_lost',
  emptyStream: 'stream_lost',
  endlessBody: 'timeout',
  hugeBody: 'answer_limit',
  noAnswer: 'timeout',
};

const faults: Readonly<Record<string, Behaviour>> = { ...wrongly, slowChunks: slowChunks(5, 10) };
const behaveByName: Behaviour = (call) => (faults[call.tool ?? ''] ?? wrongly.serverError)(call);

describe('a server that goes wrong', () => {
  test.each(['legacy', 'modern'] as const)(
    'is told off in the right words, and nothing hangs (%s era)',
    async (era) => {
      const names = [...Object.keys(categories), 'slowChunks'];
      const { url, log } = await startTestServer({
        era,
        behaviour: behaveByName,
        preflightCalls: names.length,
        tools: names,
      });
      const { report, telemetry } = await run({
        scenario: simpleScenario(
          // A connection for each call, so that none waits for those of which the answer never ends.
          {
            clients: 4,
            arrivals: { rate: '15/s' },
            connections: 45,
            timeout: '4s',
            operations: names.map((tool) => ({ tool })),
          },
          3,
          { drain: '6s' },
        ),
        target: url,
      });
      expect(report.verdict.kind).not.toBe('incomplete');
      const totals = operationTotals(telemetry);
      for (const [name, category] of Object.entries(categories)) {
        const { sent, errors } = totals.get(name) ?? { sent: 0, errors: {} };
        expect({ name, errors }).toEqual({ name, errors: { [category]: sent } });
        expect(sent).toBeGreaterThan(0);
      }
      expect(totals.get('slowChunks')?.succeeded).toBe(totals.get('slowChunks')?.sent);
      expect(report.balance.filter(({ gap }) => gap !== 0)).toEqual([]);
      expect([...totals.values()].reduce((sum, { sent }) => sum + sent, 0)).toBe(log.calls.length);
      expect(report.errors.map(({ category }) => category).sort()).toEqual(
        [...new Set(Object.values(categories))].sort(),
      );
    },
  );

  test('and forgets the session gets a new one from its clients', async () => {
    const { url, log } = await startTestServer({
      behaviour: (call) => (call.number % 10 === 0 ? wrongly.lostSession(call) : call.answer()),
    });
    const { report, telemetry } = await run({
      scenario: simpleScenario({ clients: 2, arrivals: { rate: '20/s' }, connections: 1 }, 3),
      target: url,
    });
    const { errors, succeeded } = operationTotals(telemetry).get('echo') ?? { errors: {}, succeeded: 0 };
    const lost = Math.floor(log.calls.length / 10);
    expect(errors).toEqual({ session_lost: lost });
    expect(succeeded).toBe(log.calls.length - lost);
    expect(report.summary.sessions.lost).toBe(lost);
    expect(log.sessionsOpened).toBeGreaterThanOrEqual(lost);
  });

  test('and asks to be left alone for a second is', async () => {
    const { url, log } = await startTestServer({
      behaviour: (call) => (call.number === 5 ? wrongly.tooManyForASecond(call) : call.answer()),
    });
    await run({ scenario: simpleScenario({ arrivals: { rate: '50/s' }, connections: 1 }, 3), target: url });
    const [refused, next] = log.calls.slice(4);
    expect((next?.atMs ?? 0) - (refused?.atMs ?? 0)).toBeGreaterThanOrEqual(990);
  });
});
