import { describe, expect, test } from '@jest/globals';
import { ChannelProbe } from '../../../tests/support/transport/channel-probe.js';
import { correct, legacy, startRawServer } from '../../../tests/support/transport/raw-server.js';
import { until } from '../../../tests/support/until.js';
import { IdleAge } from './idle-age.js';

describe('the age at which a server closes idle connections', () => {
  test('is learned from closes that agree, and connections are not used shortly before it', () => {
    const age = new IdleAge();
    age.observe(500, 0);
    age.observe(503, 1);
    expect(age.isTooOld(499, 2)).toBe(false);
    age.observe(499, 3);
    expect([200, 400, 450, 600].map((idleMs) => age.isTooOld(idleMs, 4))).toEqual([false, false, true, true]);
  });

  test('is not learned from closes at any age, and is forgotten when nothing confirms it', () => {
    const age = new IdleAge();
    for (const idleMs of [10, 200, 1000, 3000, 7000]) age.observe(idleMs, 0);
    expect(age.limitMs).toBe(0);
    for (const idleMs of [100, 101, 102]) age.observe(idleMs, 0);
    expect(age.isTooOld(100, 59_000)).toBe(true);
    expect(age.isTooOld(100, 61_000)).toBe(false);
    expect(age.limitMs).toBe(0);
  });
});

test('a call that crosses the end of an idle connection says so', async () => {
  const IDLE_MS = 300;
  const server = await startRawServer(
    legacy(({ message }, socket) => {
      // The second call comes as the connection is being closed.
      if (server.requests.filter((request) => request.message.method === 'tools/call').length > 1) socket.destroy();
      else socket.write(correct(message.id));
    }),
  );
  const probe = await new ChannelProbe(server.url).open();
  expect(await probe.call()).toEqual(['correct']);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  expect(await probe.call()).toEqual(['idle_closed']);
  expect(probe.lastFailure?.detail).toMatch(/had been idle for \d{3} ms when the request was sent, ended \d+ ms later/);
});

test('a connection that a server is about to close is replaced', async () => {
  const CLOSED_AFTER_MS = 200;
  const closing = new Map<unknown, NodeJS.Timeout>();
  const server = await startRawServer(
    legacy(({ message }, socket) => {
      socket.write(correct(message.id));
      clearTimeout(closing.get(socket));
      closing.set(
        socket,
        setTimeout(() => socket.end(), CLOSED_AFTER_MS),
      );
    }),
  );
  const probe = await new ChannelProbe(server.url).open();
  const callAndWaitForClose = async (): Promise<void> => {
    await probe.call();
    await until('the server to close it', () => server.open === 0);
  };
  // On a busy machine a close is seen late: ages do not agree, or a call crosses it.
  await until('a young connection to be replaced', async () => {
    for (let round = 1; round <= 3; round++) await callAndWaitForClose();
    await probe.call();
    const opened = server.connectionsOpened;
    // Younger than the age at which it is closed, but too close to it.
    await new Promise((resolve) => setTimeout(resolve, 0.925 * CLOSED_AFTER_MS));
    const wasOpen = server.open === 1;
    const [outcome] = await probe.call();
    return outcome === 'correct' && wasOpen && server.connectionsOpened === opened + 1;
  });
});
