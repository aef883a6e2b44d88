import { messageShape } from '../protocol/telemetry.js';

/** Different messages of a key whose shape is found: a flood of errors must not cost more than the errors. */
const MOST_LOOKS = 5_000;
/** Messages of one key that are known by heart, because most failures repeat one of few. */
const MOST_KNOWN = 10;

interface Known {
  looks: number;
  readonly shapes: Map<string, string>;
}

/** The shapes of the messages of failures, at a cost that is bounded for each key. */
export class MessageShapes {
  private readonly byKey = new Map<string, Known>();

  /** @param key of the failures whose messages belong together @returns undefined: too many were different already */
  of(key: string, message: string): string | undefined {
    const known = this.byKey.get(key) ?? { looks: 0, shapes: new Map<string, string>() };
    this.byKey.set(key, known);
    const before = known.shapes.get(message);
    if (before !== undefined) return before;
    if (known.looks >= MOST_LOOKS) return undefined;
    known.looks += 1;
    const shape = messageShape(message);
    if (known.shapes.size < MOST_KNOWN) known.shapes.set(message, shape);
    return shape;
  }
}
