import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IdBlocks, RequestIds } from '../../mcp/request-ids.js';
import { TicketWindow } from './ticket-window.js';

interface Known {
  readonly ticket: number;
  readonly sequence: number;
}

test('each request is found by its id and its ticket, and the oldest is known, however requests end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(1000), { maxLength: 400 }), (depth, choices) => {
      const window = new TicketWindow(depth, new IdBlocks(new RequestIds()));
      const known = new Map<number, Known>();
      let ticket = 0;
      for (const choice of choices) {
        if (known.size < depth && (choice % 2 === 0 || known.size === 0)) {
          const id = window.claim(++ticket, choice, 2, ticket + 7);
          expect(known.has(id)).toBe(false);
          known.set(id, { ticket, sequence: ticket + 7 });
        } else {
          const [id, { ticket: ended }] = [...known][choice % known.size] as [number, Known];
          expect(window.rowOf(ended)).toBe(window.find(id));
          window.release(window.find(id));
          known.delete(id);
          expect([window.find(id), window.rowOf(ended), window.wasUsed(id)]).toEqual([-1, -1, true]);
        }
        expect(window.waiting).toBe(known.size);
        for (const [id, { ticket: own, sequence }] of known) {
          const row = window.find(id);
          expect([window.id(row), window.ticket(row), window.sequence(row)]).toEqual([id, own, sequence]);
        }
        const first = [...known.keys()][0];
        expect(window.oldest()).toBe(first === undefined ? -1 : window.find(first));
      }
    }),
    { numRuns: 100 },
  );
});

test('a value that was never an id is not found', () => {
  const window = new TicketWindow(4, new IdBlocks(new RequestIds()));
  const id = window.claim(1, 0, 0, 0);
  for (const other of [0, -1, 1, id + 8, id - 8, Number.NaN]) expect(window.find(other)).toBe(-1);
  for (const other of [0, id + 1, 'x', null, undefined, id + 0.5]) expect(window.wasUsed(other)).toBe(false);
});
