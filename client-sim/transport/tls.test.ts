import { describe, expect, test } from '@jest/globals';
import { selfSigned } from '../../tests/support/certificates.js';
import { ChannelProbe, COUNTED, MODERN } from '../../tests/support/transport/channel-probe.js';
import {
  chunk,
  correct,
  event,
  LAST_CHUNK,
  legacy,
  type RawHandler,
  result,
  SSE_HEAD,
  startRawServer,
} from '../../tests/support/transport/raw-server.js';
import { negotiate } from '../preflight/negotiate.js';

const certificate = selfSigned();
const answerAll: RawHandler = ({ message }, socket) => void socket.write(correct(message.id));

describe('over TLS', () => {
  test.each(['127.0.0.1', 'localhost'])('a session works with a server the caller trusts, at %s', async (host) => {
    const server = await startRawServer(legacy(answerAll), certificate);
    const probe = await new ChannelProbe(server.url.replace('127.0.0.1', host), {
      pipeline: 8,
      tls: { ca: certificate.cert, insecure: false },
    }).open();
    for (let round = 0; round < 5; round++) expect(await probe.call(8, COUNTED)).toEqual(new Array(8).fill('correct'));
    await probe.close('delete');
    expect(server.requests.at(-1)?.verb).toBe('DELETE');
    expect(server.connectionsOpened).toBe(1);
  });

  test('answers larger than a TLS record, and streams in pieces, arrive whole', async () => {
    const server = await startRawServer(({ message }, socket) => {
      const text = 'x'.repeat(100_000);
      socket.write(message.id === 1_001_000_000 ? correct(message.id, text) : SSE_HEAD + chunk('data: \n\n'));
      if (message.id !== 1_001_000_000)
        setImmediate(() => socket.write(chunk(event(result(message.id, text))) + LAST_CHUNK));
    }, certificate);
    const probe = await new ChannelProbe(server.url, { pinned: MODERN, pipeline: 2, tls: { insecure: true } }).open();
    expect(await probe.call(2)).toEqual(['correct', 'correct']);
  });

  test('a server with an untrusted certificate gets no request', async () => {
    const server = await startRawServer(answerAll, certificate);
    const probe = await new ChannelProbe(server.url, { pinned: MODERN }).open();
    expect(probe.openFailure).toMatchObject({ category: 'connect', detail: expect.stringMatching(/self.signed/) });
    expect(server.requests).toHaveLength(0);
  });

  test('a server without TLS is a connect failure', async () => {
    const server = await startRawServer((_request, socket) => void socket.end());
    const probe = await new ChannelProbe(server.url.replace('http:', 'https:'), {
      pinned: MODERN,
      openTimeoutMs: 500,
      tls: { insecure: true },
    }).open();
    expect(probe.openFailure?.category).toBe('connect');
  });

  test('preflight uses the same options', async () => {
    const server = await startRawServer(legacy(answerAll), certificate);
    const found = await negotiate(
      { url: server.url, headers: {}, tls: { ca: certificate.cert, insecure: false } },
      'legacy',
    );
    expect(found).toMatchObject({ ok: true, pinned: { era: 'legacy', version: '2025-11-25', sessions: true } });
    await found.session.close();
  });
});
