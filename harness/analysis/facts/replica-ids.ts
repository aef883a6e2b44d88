import type { Replica } from '../../platform/platform.js';

/**
 * The replicas that run now, each with an id of its own. Where there are tasks, a task is a replica: the next one in a
 * slot is another, and is called `mcp-server.2 (2)`.
 * @param known all replicas before, with the ids that this gave them
 */
export function withOwnIds(known: readonly Replica[], now: readonly Replica[]): readonly Replica[] {
  const all = [...known];
  return now.map((replica) => {
    const before = all.find((one) => keyOf(one) === keyOf(replica));
    if (before !== undefined) return { ...replica, id: before.id };
    const inSlot = all.filter(({ id }) => slotNameOf(id) === replica.id).length;
    const own = inSlot === 0 ? replica : { ...replica, id: `${replica.id} (${inSlot + 1})` };
    all.push(own);
    return own;
  });
}

/** The same for the same replica. */
export function keyOf({ id, task }: Pick<Replica, 'id' | 'task'>): string {
  return task ?? id;
}

/** `mcp-server.2` for each replica that was ever in that slot. */
export function slotNameOf(id: string): string {
  return id.replace(/ \(\d+\)$/, '');
}
