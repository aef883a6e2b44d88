import { Duplex } from 'node:stream';

/** Two ends of a connection that is no socket: what one writes the other reads. Node 20.19 has none of its own yet. */
export function duplexPair(): readonly [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const make = (other: number): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        ends[other]?.push(chunk);
        done();
      },
      final: (done) => {
        ends[other]?.push(null);
        done();
      },
    });
  ends.push(make(1), make(0));
  return [ends[0] as Duplex, ends[1] as Duplex];
}
