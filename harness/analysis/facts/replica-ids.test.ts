import { expect, test } from '@jest/globals';
import type { Replica } from '../../platform/platform.js';
import { slotNameOf, withOwnIds } from './replica-ids.js';

function replica(slot: number, task: string): Replica {
  return { id: `mcp-server.${slot}`, node: 'n1', url: `http://10.0.0.${slot}:3000/mcp`, slot, task };
}

test('a task that replaces another in its slot is a replica of its own, and keeps its id', () => {
  const first = withOwnIds([], [replica(1, 'a'), replica(2, 'b')]);
  expect(first.map(({ id }) => id)).toEqual(['mcp-server.1', 'mcp-server.2']);
  const second = withOwnIds(first, [replica(1, 'a'), replica(2, 'c')]);
  expect(second.map(({ id }) => id)).toEqual(['mcp-server.1', 'mcp-server.2 (2)']);
  const all = [...first, ...second.slice(1)];
  const third = withOwnIds(all, [replica(1, 'a'), replica(2, 'c'), replica(2, 'd')]);
  expect(third.map(({ id }) => id)).toEqual(['mcp-server.1', 'mcp-server.2 (2)', 'mcp-server.2 (3)']);
  expect(third.map(({ id }) => slotNameOf(id))).toEqual(['mcp-server.1', 'mcp-server.2', 'mcp-server.2']);
});

test('without tasks a replica is its id', () => {
  const one: Replica = { id: 'reference-1', node: 'h', url: 'http://127.0.0.1:1/mcp' };
  expect(withOwnIds([one], [one])).toEqual([one]);
});
