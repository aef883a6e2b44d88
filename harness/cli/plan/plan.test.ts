import { describe, expect, test } from '@jest/globals';
import type { Template } from '../../../scenarios/schema/grammar/template.js';
import { loadPlan } from '../../../scenarios/schema/load-plan.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { plain } from '../terminal/style.js';
import { outlineOf, templateBytes } from './outline.js';
import { renderBrief, renderOutline } from './render-outline.js';

function planOf(sets: readonly string[] = [], targets: readonly string[] = []): Plan {
  const result = loadPlan({ scenario: 'smoke', sets, targets, env: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.plan;
}
function outline(plan: Plan) {
  return outlineOf(plan, { workers: 1, refusals: [] });
}

describe('a plan in numbers', () => {
  test('sums what stages and profiles offer', () => {
    const made = outline(planOf());
    expect(made.expectedRequests).toBe(made.stages.reduce((sum, stage) => sum + (stage.expectedRequests ?? 0), 0));
    expect(made.expectedRequests).toBeGreaterThan(100);
    expect(made.estimatedBytesSent).toBeGreaterThan(300 * (made.expectedRequests ?? 0));
  });

  test('gives no number of requests for a closed loop, where the target decides', () => {
    const made = outline(planOf(['workload.low-load.thinkTime=0ms']));
    expect(made.expectedRequests).toBeUndefined();
    expect(renderBrief(made, plain)).toContain('as many as the target answers (closed loop)');
  });

  test('names the urls of a running target without the secrets in them', () => {
    const text = renderOutline(outline(planOf([], ['http://127.0.0.1:3000/mcp?key=secret'])), plain);
    expect(text).toContain('http://127.0.0.1:3000/mcp?key=***');
    expect(text).not.toContain('secret');
  });

  test('shows warnings and refusals', () => {
    const text = renderOutline({ ...outline(planOf()), warnings: ['w'], refusals: ['r'] }, plain);
    expect(text).toContain('warning: w\n  refused: r');
  });
});

describe('the size of a template', () => {
  test.each<[Template, number]>([
    [{ kind: 'constant', json: '{"a":1}' }, 7],
    [{ kind: 'string', parts: ['ab', { name: 'text', length: 30 }] }, 34],
    [{ kind: 'number', draw: { name: 'int', min: -5, max: 100 } }, 3],
    [
      {
        kind: 'array',
        items: [
          { kind: 'constant', json: '1' },
          { kind: 'constant', json: '22' },
        ],
      },
      '[1,22]'.length,
    ],
    [
      {
        kind: 'object',
        entries: [
          ['ä', { kind: 'constant', json: '1' }],
          ['b', { kind: 'constant', json: '2' }],
        ],
      },
      Buffer.byteLength('{"ä":1,"b":2}'),
    ],
    [{ kind: 'string', parts: [{ name: 'pick', items: ['a', 'bbb'] }] }, 4],
  ])('%j is %i bytes', (template, size) => {
    expect(templateBytes(template)).toBe(size);
  });
});
