import { describe, expect, test } from '@jest/globals';
import type { OperationSeries } from '../../../../client-sim/protocol/telemetry.js';
import { foldRun } from '../../../../tests/support/analysis/fold-run.js';
import {
  check,
  samplePlan,
  sampleProfile,
  sampleStage,
  threshold,
} from '../../../../tests/support/analysis/sample-plan.js';
import { failing, sampleEvents, sampleTelemetry } from '../../../../tests/support/analysis/sample-run.js';
import { buildReport } from '../../build-report.js';
import { renderHtml } from '../../html/page.js';
import { type Report, reportSchema } from '../../schema.js';
import { renderMarkdown } from '../../text/markdown.js';

const echo = { name: 'echo', method: 'tools/call', params: { kind: 'constant', json: '{}' }, weight: 1 } as const;
const plan = samplePlan({
  profiles: [
    sampleProfile({ name: 'victims', operations: [echo] }),
    sampleProfile({
      name: 'rowdies',
      firstSlot: 4,
      operations: [echo],
      misbehave: { malformed: { share: 0.4, kinds: ['oversize'], oversizeBytes: 1 } },
    }),
  ],
  stages: [
    sampleStage({ index: 0, name: 'alone', startMs: 0, durationMs: 3000, profiles: ['victims'] }),
    sampleStage({ index: 1, name: 'beside', startMs: 3000, durationMs: 3000 }),
  ],
  thresholds: [
    threshold(check('errors.rate', '<', 0.01)),
    threshold(check('errors.count', '>', 1, { category: 'provoked_by_us' })),
  ],
});

/**
 * Victims answer in 2 ms alone, in 6 ms beside the others, of whose operations two fifths are refused as they should
 * be.
 */
function change(series: OperationSeries, second: number): OperationSeries {
  if (series.profile === 'rowdies')
    return second < 3
      ? { ...series, offered: 0, sent: 0, succeeded: 0, histograms: {} }
      : failing(series, 20, 'provoked_by_us');
  return series;
}

function report(): Report {
  const telemetry = sampleTelemetry(plan, {
    workers: 1,
    change,
    latencyUs: (second) => (second < 3 ? 2000 : 6000),
  }).map((line) => ({
    ...line,
    batch: {
      ...line.batch,
      sessions: line.batch.sessions.map((one) =>
        one.profile === 'rowdies' && line.batch.toMs > 3000
          ? { ...one, misbehaved: { 'malformed/oversize:http_413': 18, 'malformed/oversize:timeout': 2 } }
          : one,
      ),
      samples:
        line.batch.toMs === 4000
          ? [
              {
                category: 'malformed/oversize:http_413',
                profile: 'rowdies',
                operation: 'echo',
                atMs: 3500,
                detail: 'HTTP 413',
                request: 'POST <b>',
                response: 'HTTP/1.1 413',
              },
            ]
          : [],
    },
  }));
  return buildReport(foldRun(sampleEvents(plan, [], 1), telemetry));
}

describe('misbehaviour', () => {
  test('is reported by kind, with the reactions of the server', () => {
    expect(report().misbehaviour).toEqual([
      {
        profile: 'rowdies',
        kind: 'malformed/oversize',
        done: 60,
        reactions: [
          {
            reaction: 'http_413',
            count: 54,
            judgement: 'right',
            meaning: 'refused with HTTP 413',
            sample: {
              atSeconds: 3.5,
              operation: 'echo',
              detail: 'HTTP 413',
              request: 'POST <b>',
              response: 'HTTP/1.1 413',
            },
          },
          { reaction: 'timeout', count: 6, judgement: 'wrong', meaning: 'no answer at all', sample: null },
        ],
      },
    ]);
  });

  test('is no error of the target, and the counts add up', () => {
    const { summary, profiles, errors, thresholds, balance } = report();
    expect(summary).toMatchObject({ failed: 60, byUs: 60, errorRate: 0 });
    expect(summary.sent).toBe(summary.succeeded + summary.failed + summary.lost);
    expect(profiles.map(({ byUs, errorRate }) => [byUs, errorRate])).toEqual([
      [0, 0],
      [60, 0],
    ]);
    expect(errors).toEqual([]);
    expect(thresholds.map(({ passed, actual }) => [passed, actual])).toEqual([
      [true, 0],
      [true, 60],
    ]);
    expect(balance.map(({ gap }) => gap)).toEqual(balance.map(() => 0));
  });

  test('shows the effect on its neighbours', () => {
    const [row, ...others] = report().neighbours;
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      profile: 'victims',
      neighbours: ['rowdies'],
      alone: { stages: ['alone'], errorRate: 0 },
      beside: { stages: ['beside'] },
      errorRateDifference: 0,
    });
    expect(row?.ratio.p95).toBeCloseTo(3, 1);
    expect(row?.ratio.throughput).toBeCloseTo(1, 6);
  });

  test('is in every rendering, and none of its text is markup', () => {
    const made = report();
    expect(reportSchema.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
    const page = renderHtml(made);
    expect(page).toContain('id="misbehaviour"');
    expect(page).toContain('worth a look');
    expect(page).toContain('POST &lt;b&gt;');
    expect(page).not.toContain('POST <b>');
    expect(renderMarkdown(made)).toMatch(/malformed\/oversize \| rowdies \| 60 \| 54 × http.*413, ⚠️ 6 × timeout/);
    expect(renderMarkdown(made)).toMatch(/victims \| rowdies \| 2 ms \| 6/);
  });
});
