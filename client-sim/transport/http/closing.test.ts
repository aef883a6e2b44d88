import { describe, expect, test } from '@jest/globals';
import { ChannelProbe } from '../../../tests/support/transport/channel-probe.js';
import { correct, http, legacy, type RawHandler, startRawServer } from '../../../tests/support/transport/raw-server.js';
import { until } from '../../../tests/support/until.js';

const answerAll: RawHandler = ({ message }, socket) => void socket.write(correct(message.id));

describe('closing', () => {
  test.each<['delete' | 'abandon' | 'reset', string]>([
    ['delete', 'DELETE'],
    ['abandon', 'POST'],
    ['reset', 'POST'],
  ])('%s answers the requests in flight and leaves no socket open', async (how, lastVerb) => {
    const server = await startRawServer(legacy(() => undefined));
    const probe = await new ChannelProbe(server.url, { connections: 2, pipeline: 2 }).open();
    const tickets = [probe.sendUnflushed(), probe.sendUnflushed(), probe.sendUnflushed()];
    probe.channel.flush();
    await until('the requests to arrive', () => server.requests.length === 5);
    await probe.close(how);
    expect(tickets.map((ticket) => probe.outcomes[ticket])).toEqual([
      'aborted_by_us',
      'aborted_by_us',
      'aborted_by_us',
    ]);
    expect(probe.log.at(-1)).toBe('closed');
    await until('all sockets to be closed', () => server.open === 0);
    expect(server.requests.at(-1)?.verb).toBe(lastVerb);
    expect(probe.counters.connectionsActive).toBe(0);
  });

  test.each(['200 OK', '202 Accepted', '404 Not Found', '405 Method Not Allowed'])(
    'ends even if the server answers DELETE with %s',
    async (status) => {
      const server = await startRawServer((request, socket) =>
        request.verb === 'DELETE' ? void socket.write(http(status, '')) : legacy(answerAll)(request, socket),
      );
      const probe = await new ChannelProbe(server.url).open();
      await probe.close('delete');
      expect(probe.log).toEqual(['closed']);
    },
  );

  test('while the session is being opened makes the opening fail', async () => {
    const server = await startRawServer(() => undefined);
    const probe = new ChannelProbe(server.url);
    probe.channel.open();
    await until('initialize to arrive', () => server.requests.length === 1);
    probe.channel.close('delete');
    expect(probe.openFailure?.category).toBe('aborted_by_us');
    expect(probe.closed).toBeUndefined();
    await until('its socket to be closed', () => server.open === 0);
  });

  test('destroy is followed by no event', async () => {
    const server = await startRawServer(legacy(() => undefined));
    const probe = await new ChannelProbe(server.url).open();
    probe.sendUnflushed();
    probe.channel.flush();
    await until('the request to arrive', () => server.requests.length === 3);
    probe.channel.destroy();
    await until('its socket to be closed', () => server.open === 0);
    expect(probe.log).toEqual([]);
    expect(probe.counters.connectionsActive).toBe(0);
  });
});
