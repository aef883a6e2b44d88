import { describe, expect, test } from '@jest/globals';
import { fixedDelay, rightly, slowChunks, sometimes, stopsOnce, wrongly } from './behaviours.js';
import type { Behaviour } from './call.js';
import { startTestServer } from './test-server.js';

const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** A session that is not the preflight's. */
async function session(url: string): Promise<(id: number) => Promise<Response>> {
  let id = '';
  for (let opened = 0; opened < 2; opened += 1) {
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }),
    });
    id = answer.headers.get('mcp-session-id') ?? '';
  }
  return (callId) =>
    fetch(url, {
      method: 'POST',
      headers: { ...headers, 'mcp-session-id': id },
      body: JSON.stringify({ jsonrpc: '2.0', id: callId, method: 'tools/call', params: { name: 'echo' } }),
      redirect: 'manual',
      signal: AbortSignal.timeout(2_000),
    });
}

async function callOf(behaviour: Behaviour): Promise<(id: number) => Promise<Response>> {
  return session((await startTestServer({ behaviour })).url);
}

/** Reads until more than `bytes` have come, and leaves. */
function read(bytes: number) {
  return async ({ body }: Response): Promise<number> => {
    let came = 0;
    for await (const chunk of body ?? []) {
      came += chunk.length;
      if (came > bytes) break;
    }
    return came;
  };
}

describe('test servers are what they say:', () => {
  test('right, and counted', async () => {
    const { url, log } = await startTestServer({ behaviour: rightly });
    const call = await session(url);
    expect(await (await call(7)).json()).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: { content: [{ type: 'text', text: 'ok' }] },
    });
    expect(log).toMatchObject({ calls: [{ method: 'tools/call', params: { name: 'echo' } }], sessionsOpened: 1 });
    expect(log.answered).toEqual(new Map([[200, 1]]));
  });

  test('a fixed delay never ends early', async () => {
    const call = await callOf(fixedDelay(30));
    const startedAt = performance.now();
    await call(1);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(30);
  });

  test('one that stops once holds what comes meanwhile', async () => {
    const call = await callOf(stopsOnce(50, 200));
    await call(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const startedAt = performance.now();
    await call(2);
    expect(performance.now() - startedAt).toBeGreaterThan(100);
  });

  test('sometimes is exactly one in so many', async () => {
    const call = await callOf(sometimes(3, wrongly.serverError));
    const statuses = [];
    for (let id = 1; id <= 6; id += 1) statuses.push((await call(id)).status);
    expect(statuses).toEqual([200, 200, 500, 200, 200, 500]);
  });

  test('slow chunks add up to the right answer', async () => {
    const call = await callOf(slowChunks(5, 5));
    expect(await (await call(7)).json()).toMatchObject({ id: 7 });
  });

  test.each<[keyof typeof wrongly, (answer: Promise<Response>) => Promise<unknown>]>([
    ['wrongId', async (answer) => expect(await (await answer).json()).toMatchObject({ id: 4242424242, result: {} })],
    [
      'toolError',
      async (answer) => expect(await (await answer).json()).toMatchObject({ id: 7, result: { isError: true } }),
    ],
    [
      'rpcError',
      async (answer) => expect(await (await answer).json()).toMatchObject({ id: 7, error: { code: -32050 } }),
    ],
    ['brokenJson', async (answer) => expect((await answer).json()).rejects.toThrow()],
    ['serverError', async (answer) => expect((await answer).status).toBe(500)],
    ['tooMany', async (answer) => expect((await answer).status).toBe(429)],
    ['tooManyForASecond', async (answer) => expect((await answer).headers.get('retry-after')).toBe('1')],
    ['redirect', async (answer) => expect((await answer).status).toBe(302)],
    ['closedSocket', (answer) => expect(answer).rejects.toThrow()],
    ['halfAnswer', async (answer) => expect((await answer).text()).rejects.toThrow()],
    ['halfStream', async (answer) => expect((await answer).text()).rejects.toThrow()],
    ['endlessBody', async (answer) => expect((await answer).text()).rejects.toThrow('timeout')],
    ['hugeBody', (answer) => expect(answer.then(read(8 * 1024 * 1024))).resolves.toBeGreaterThan(8 * 1024 * 1024)],
    ['noAnswer', (answer) => expect(answer).rejects.toThrow('timeout')],
    ['lostSession', async (answer) => expect((await answer).status).toBe(404)],
  ])('%s', async (name, see) => {
    const call = await callOf(wrongly[name]);
    await see(call(7));
  });
});
