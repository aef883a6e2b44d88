import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TimeHeap } from './time-heap.js';
import { WakeHeap } from './wake-heap.js';

test('the wake heap returns ids in order of the times set last, each at most once', () => {
  const step = fc.record({
    id: fc.integer({ min: 0, max: 60 }),
    time: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.constant(Infinity)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const heap = new WakeHeap();
      const model = new Map<number, number>();
      for (const { id, time } of steps) {
        heap.set(id, time);
        if (time === Infinity) model.delete(id);
        else model.set(id, time);
        expect(heap.size).toBe(model.size);
        expect(heap.earliest).toBe(Math.min(Infinity, ...model.values()));
      }
      for (let before = 0; heap.size > 0; ) {
        const earliest = heap.earliest;
        const id = heap.pop();
        expect(model.get(id)).toBe(earliest);
        expect(earliest).toBeGreaterThanOrEqual(before);
        model.delete(id);
        before = earliest;
      }
      expect(model.size).toBe(0);
    }),
  );
});

test('the time heap sorts', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 100 }), (times) => {
      const heap = new TimeHeap(100);
      for (const time of times) heap.push(time);
      expect(times.map(() => heap.pop())).toEqual([...times].sort((a, b) => a - b));
      expect(heap.earliest).toBe(Infinity);
    }),
  );
});

test('the time heap refuses more than its capacity', () => {
  const heap = new TimeHeap(1);
  heap.push(1);
  expect(() => heap.push(2)).toThrow(RangeError);
});
