/** Values with `{{ ... }}` in them, parsed once. Drawn per request by the simulator, always from the seed. */

export type Template =
  | { readonly kind: 'constant'; readonly json: string }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: Template])[] }
  | { readonly kind: 'array'; readonly items: readonly Template[] }
  /** One placeholder alone that yields a JSON number: `"{{ int 1 5 }}"`, seq, now, client. */
  | { readonly kind: 'number'; readonly draw: Placeholder }
  | { readonly kind: 'string'; readonly parts: readonly (string | Placeholder)[] };

export type Placeholder =
  | { readonly name: 'text'; readonly length: number }
  | { readonly name: 'int'; readonly min: number; readonly max: number }
  | { readonly name: 'pick'; readonly items: readonly string[] }
  | { readonly name: 'uuid' }
  /** Global slot number of the virtual client, or its remainder. */
  | { readonly name: 'client'; readonly modulo?: number }
  /** Number of the operation within its client, from 0. */
  | { readonly name: 'seq' }
  /** Milliseconds since the epoch at the moment of sending. */
  | { readonly name: 'now' }
  /** Who publishes this, its number among what that client published, and when it was due. */
  | { readonly name: 'stamp' };
