import type { RunEvent } from '../events.js';

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>;

/** The events of a run before its controller died, by type. */
export class Past {
  constructor(readonly events: readonly RunEvent[]) {}

  all<Type extends RunEvent['type']>(type: Type): readonly Of<Type>[] {
    return this.events.filter((event): event is Of<Type> => event.type === type);
  }

  last<Type extends RunEvent['type']>(type: Type): Of<Type> | undefined {
    return this.all(type).at(-1);
  }
}
