import { describe, expect, test } from '@jest/globals';
import type { Check } from '../plan.js';
import { parseCheck } from './check.js';
import { metricNames } from './metrics.js';

const known = {
  stage: ['warm-up', 'peak'],
  profile: ['normal', 'flood'],
  operation: ['echo', 'tools/list'],
  phase: ['before', 'fault', 'recovery'],
  fault: ['kill'],
};

describe('checks', () => {
  test.each<[string, Omit<Check, 'text'>, string]>([
    ['latency.p95 < 200ms', { metric: 'latency.p95', labels: {}, comparison: '<', value: 200 }, 'latency.p95 < 200ms'],
    [
      'latency.p95{stage="peak"}<200 ms',
      { metric: 'latency.p95', labels: { stage: 'peak' }, comparison: '<', value: 200 },
      'latency.p95{stage="peak"} < 200ms',
    ],
    [
      'service.max{ profile = "normal" , operation="tools/list" } <= 1.5s',
      { metric: 'service.max', labels: { profile: 'normal', operation: 'tools/list' }, comparison: '<=', value: 1500 },
      'service.max{profile="normal",operation="tools/list"} <= 1.5s',
    ],
    [
      'connect.p999 < 250µs',
      { metric: 'connect.p999', labels: {}, comparison: '<', value: 0.25 },
      'connect.p999 < 250µs',
    ],
    [
      'throughput >= 600/min',
      { metric: 'throughput', labels: {}, comparison: '>=', value: 10 },
      'throughput >= 600/min',
    ],
    ['offered > 99 / s', { metric: 'offered', labels: {}, comparison: '>', value: 99 }, 'offered > 99/s'],
    ['delivered > 99%', { metric: 'delivered', labels: {}, comparison: '>', value: 0.99 }, 'delivered > 99%'],
    ['delivered == 1', { metric: 'delivered', labels: {}, comparison: '==', value: 1 }, 'delivered == 1'],
    [
      'errors.rate{category="http_503"} < 0.1%',
      { metric: 'errors.rate', labels: { category: 'http_503' }, comparison: '<', value: 0.001 },
      'errors.rate{category="http_503"} < 0.1%',
    ],
    [
      'errors.count{category="rpc_-32602"} != 0',
      { metric: 'errors.count', labels: { category: 'rpc_-32602' }, comparison: '!=', value: 0 },
      'errors.count{category="rpc_-32602"} != 0',
    ],
    [
      'sessions.peak >= 500',
      { metric: 'sessions.peak', labels: {}, comparison: '>=', value: 500 },
      'sessions.peak >= 500',
    ],
    [
      'usage.memory{replica="replica-1"} < 512 MiB',
      { metric: 'usage.memory', labels: { replica: 'replica-1' }, comparison: '<', value: 536_870_912 },
      'usage.memory{replica="replica-1"} < 512MiB',
    ],
    ['usage.cpu < 150%', { metric: 'usage.cpu', labels: {}, comparison: '<', value: 1.5 }, 'usage.cpu < 150%'],
  ])('%s', (source, check, text) => {
    expect(parseCheck(source, known)).toEqual({ ok: true, check: { ...check, text } });
  });

  test('a normalised check parses to the same check', () => {
    for (const name of metricNames()) {
      for (const amount of ['1ms', '1/s', '1%', '1', '1KiB']) {
        const first = parseCheck(`${name}<${amount}`, known);
        if (first.ok) expect(parseCheck(first.check.text, known)).toEqual(first);
      }
    }
  });

  const wrong: readonly (readonly [source: string, offset: number, message: RegExp, hint?: RegExp])[] = [
    ['', 0, /expected a metric, found the end/, /such as latency/],
    ['latency < 5ms', 0, /`latency` is a distribution/, /latency\.p50, latency\.p90/],
    ['latency.p42 < 5ms', 0, /no statistic `p42`/, /latency\.p95/],
    ['latncy.p95 < 5ms', 0, /unknown metric `latncy\.p95`/, /did you mean "latency\.p95"/],
    [
      'errors.count.p95 < 5',
      0,
      /`errors\.count` is a single number: it has no p95/,
      /latency, service, delivery, catchUp, connect/,
    ],
    ['throughput.p99 < 5/s', 0, /`throughput` is a single number/, /write throughput/],
    ['nothing < 5', 0, /unknown metric/, /metrics: .*throughput/],
    ['fault.undetected < 5s', 0, /unknown metric `fault\.undetected`/, /did you mean "fault\.detection"/],
    ['errors.rate{phase="after"} < 1%', 18, /no phase is named `after`/, /before, fault, recovery/],
    ['errors.rate{fault="other"} < 1%', 18, /no fault is named `other`/, /kill/],
    ['errors.rate{replica="r1",fault="kill"} < 1%', 37, /by replica or by fault, not by both/, /leave out/],
    ['latency.p95{replica="r",operation="echo"} < 1s', 40, /by replica or by operation/],
    ['errors.rate{category="timeout",replica="r"} < 1%', 42, /by replica or by category/],
    ['service.p95{replica="r"} < 1s', 12, /no label `replica`/],
    ['latency.p95 < 5', 14, /`5` has no unit/, /200ms or 1\.5s/],
    ['latency.p95 < 5kg', 14, /`kg` is not a unit of a time/, /200ms/],
    ['latency.p95 < 5ms now', 14, /`ms now` is not a unit/],
    ['latency.p95 < 5%', 14, /`%` is not a unit of a time/],
    ['errors.rate < 5ms', 14, /`ms` is not a unit of a ratio/, /1% or 0\.01/],
    ['errors.rate < 5', 14, /above 100 %; a ratio is between 0 and 1/, /did you mean 5%/],
    ['errors.count < 5%', 15, /`%` is not a unit of a count/],
    ['errors.count < 0.5', 15, /not a whole number/],
    ['throughput > 100', 13, /`100` has no unit/, /100\/s/],
    ['latency.p95 < -5ms', 14, /negative/],
    ['latency.p95 = 5ms', 12, /expected one of < <= > >= == !=, found `=`/],
    ['latency.p95 5ms', 12, /expected one of/],
    ['latency.p95 <', 13, /expected a number, found the end/],
    ['latency.p95{stage="peek"} < 5ms', 18, /no stage is named `peek`/, /did you mean "peak"/],
    ['latency.p95{profile="x"} < 5ms', 20, /no profile is named `x`/, /profiles: normal, flood/],
    ['latency.p95{operation="ecko"} < 5ms', 22, /no operation is named `ecko`/, /did you mean "echo"/],
    ['errors.rate{category="htp_500"} < 5%', 21, /no error category/, /http_<status>/],
    [
      'latency.p95{category="timeout"} < 5ms',
      12,
      /`latency\.p95` has no label `category`/,
      /labels: stage, profile, operation/,
    ],
    ['latency.p95{stag="peak"} < 5ms', 12, /has no label `stag`/, /did you mean "stage"/],
    ['sessions.peak{profile="normal"} < 5', 14, /has no label `profile`/, /labels: stage/],
    ['latency.p95{stage=peak} < 5ms', 18, /expected a value in double quotes, found `peak`/],
    ["latency.p95{stage='peak'} < 5ms", 18, /use double quotes/],
    ['latency.p95{stage="peak} < 5ms', 18, /without its closing/],
    ['latency.p95{stage="peak" < 5ms', 25, /expected `,` or `}`/],
    ['latency.p95{stage="peak",stage="peak"} < 5ms', 25, /`stage` is given twice/],
    ['latency.p95{} < 5ms', 12, /expected a label/],
    ['latency.p95 < 5ms && 1', 18, /unexpected `&`/],
  ];
  test.each(wrong.map(([source, offset, message, hint]) => ({ source, offset, message, hint })))(
    '$source is wrong at $offset',
    ({ source, offset, message, hint }) => {
      const parsed = parseCheck(source, known);
      if (parsed.ok) throw new Error(`parsed: ${parsed.check.text}`);
      expect(parsed.problem.message).toMatch(message);
      expect(parsed.problem.offset).toBe(offset);
      if (hint !== undefined) expect(parsed.problem.hint).toMatch(hint);
    },
  );
});
