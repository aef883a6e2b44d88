import { expect, test } from '@jest/globals';
import { factsOf, transportsWhere } from '../../scenarios/schema/transports.js';
import { startProgram } from '../support/program.js';

/** Where a server of ours says that it can be reached, by the transport that it speaks there. */
async function announced(entry: string, args: readonly string[] = []): Promise<Readonly<Record<string, string>>> {
  const program = startProgram(`swarm/reference-server/${entry}`, ['--port', '0', '--stream-port', '0', ...args]);
  const [line] = await program.wrote(/^\{"listening":.*\}$/m);
  return (JSON.parse(line) as { listening: { endpoints: Record<string, string> } }).listening.endpoints;
}

/** What the facts of the transports say of it, in the same form: scheme and path by transport. */
function expected(server: 'reference' | 'sink', era?: 'modern'): Readonly<Record<string, string>> {
  const speaking = transportsWhere(
    ({ own, eras, wireTransport }) =>
      own?.servers.includes(server) === true &&
      wireTransport === undefined &&
      (era === undefined || eras.includes(era)),
  );
  return Object.fromEntries(
    speaking.map((name) => [name, `${factsOf(name).own?.scheme ?? ''} ${factsOf(name).own?.path ?? ''}`]),
  );
}

test.each([
  ['main.js', 'reference', [], undefined],
  ['main.js', 'reference', ['--era', 'modern'], 'modern'],
  ['sink.js', 'sink', [], undefined],
] as const)('%s as %s %j speaks what the facts of the transports say', async (entry, server, args, era) => {
  const endpoints = await announced(entry, args);
  const found = Object.fromEntries(
    Object.entries(endpoints).map(([name, url]) => {
      const { protocol, pathname } = new URL(url);
      return [name, `${protocol} ${pathname}`];
    }),
  );
  expect(found).toEqual(expected(server, era));
});

test('a transport with another name on the wire is spoken wherever that one is', () => {
  for (const name of transportsWhere(({ wireTransport }) => wireTransport !== undefined)) {
    const { own, wireTransport } = factsOf(name);
    const wire = transportsWhere(() => true).find((other) => other === wireTransport);
    if (wire === undefined) throw new Error(`${name} names ${String(wireTransport)}, which is no transport`);
    expect(factsOf(wire).own).toEqual(own);
  }
});
