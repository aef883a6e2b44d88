/** What a deployment did to one object. */
export interface Change {
  readonly kind: 'network' | 'secret' | 'config' | 'service';
  readonly name: string;
  readonly did: 'created' | 'updated' | 'unchanged' | 'removed';
}

export type TellChange = (change: Change) => void;

/** For people: `service bench_gateway`. */
export function nameOf({ kind, name }: Change): string {
  return `${kind} ${name}`;
}
