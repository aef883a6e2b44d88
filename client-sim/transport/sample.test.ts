import { describe, expect, test } from '@jest/globals';
import { MOST_SAMPLES_OF_CATEGORY } from '../protocol/telemetry.js';
import { SampleBudget } from './sample.js';

function taken(budget: SampleBudget, details: readonly string[], category = 'tool_error', template = 0): number {
  return details.filter((detail) => budget.take({ category, detail } as Parameters<SampleBudget['take']>[0], template))
    .length;
}

describe('samples of exchanges', () => {
  test('are made of each distinct message, and not of each failure', () => {
    const budget = new SampleBudget();
    expect(taken(budget, ['order 17 is unknown', 'order 18 is unknown', 'order 19 is unknown'])).toBe(3);
    expect(taken(budget, ['order 20 is unknown', 'order 21 is unknown'])).toBe(0);
    expect(taken(budget, ['the stock is empty'])).toBe(1);
    expect(taken(budget, ['order 22 is unknown'], 'http_500')).toBe(1);
    expect(taken(budget, ['order 22 is unknown'], 'tool_error', 1)).toBe(1);
  });

  test('are made of ten messages at most, and a flood is not looked at for ever', () => {
    const letters = Array.from({ length: 26 }, (_, at) => `message ${String.fromCharCode(97 + at)}`);
    expect(taken(new SampleBudget(), letters)).toBe(MOST_SAMPLES_OF_CATEGORY);
    const budget = new SampleBudget();
    const many = (make: (at: number) => string): string[] => Array.from({ length: 10_000 }, (_, at) => make(at));
    taken(
      budget,
      many(() => 'the same'),
    );
    expect(taken(budget, ['another'])).toBe(1);
    taken(
      budget,
      many((at) => `order ${at}`),
    );
    expect(taken(budget, ['a third'])).toBe(0);
  });
});
