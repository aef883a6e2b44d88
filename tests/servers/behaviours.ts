import { wait } from '../../swarm/reference-server/catalogue/timing-tools.js';
import type { Behaviour, Call } from './call.js';

export const rightly: Behaviour = (call) => call.answer();

/** Answers after this time, exact to some tens of microseconds. */
export function fixedDelay(ms: number): Behaviour {
  return async (call) => {
    await wait(ms);
    call.answer();
  };
}

/**
 * Answers at once, except during one stretch of time, whose requests are answered at its end.
 */
export function stopsOnce(afterMs: number, forMs: number): Behaviour {
  let firstAt: number | undefined;
  return async (call) => {
    const now = performance.now();
    firstAt ??= now;
    const intoRun = now - firstAt;
    if (intoRun >= afterMs && intoRun < afterMs + forMs) await wait(afterMs + forMs - intoRun);
    call.answer();
  };
}

/** Behaves badly for one call in `every`, rightly for the others. */
export function sometimes(every: number, bad: Behaviour): Behaviour {
  return (call) => (call.number % every === 0 ? bad(call) : call.answer());
}

function withMember(call: Call, members: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: call.id, ...members });
}

/** Each is wrong in one way; the name says which. */
export const wrongly = {
  wrongId: (call) => call.answer(call.rightAnswer.replace(`"id":${JSON.stringify(call.id)}`, '"id":4242424242')),
  toolError: (call) =>
    call.answer(withMember(call, { result: { content: [{ type: 'text', text: 'no' }], isError: true } })),
  rpcError: (call) => call.answer(withMember(call, { error: { code: -32050, message: 'overloaded' } })),
  brokenJson: (call) => call.answer('{"jsonrpc":"2.0","id":'),
  notMcp: (call) => {
    call.response.writeHead(200, { 'content-type': 'text/html' });
    call.response.end('<html><body>It works!</body></html>');
  },
  serverError: (call) => call.answer('{"message":"boom"}', 500),
  tooMany: (call) => call.answer('{"message":"slow down"}', 429),
  tooManyForASecond: (call) => call.answer('{"message":"slow down"}', 429, { 'retry-after': '1' }),
  redirect: (call) => call.answer('', 302, { location: 'http://127.0.0.1:9/mcp' }),
  closedSocket: (call) => void call.response.socket?.destroy(),
  halfAnswer: (call) => {
    call.response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(call.rightAnswer),
    });
    call.response.write(call.rightAnswer.slice(0, -10), () => call.response.socket?.destroy());
  },
  halfStream: (call) => {
    call.response.writeHead(200, { 'content-type': 'text/event-stream' });
    call.response.write(`event: message\ndata: ${call.rightAnswer.slice(0, -10)}`, () =>
      call.response.socket?.destroy(),
    );
  },
  emptyStream: (call) => {
    call.response.writeHead(200, { 'content-type': 'text/event-stream' });
    call.response.end(': nothing to say\n\n');
  },
  endlessBody: (call) => {
    call.response.writeHead(200, { 'content-type': 'application/json' });
    const trickle = setInterval(() => call.response.write('          '), 20);
    call.response.once('close', () => clearInterval(trickle));
  },
  hugeBody: (call) => {
    call.response.writeHead(200, { 'content-type': 'application/json' });
    const filler = Buffer.alloc(1024 * 1024, ' ');
    const pour = (): void => {
      if (!call.response.destroyed) call.response.write(filler, () => setImmediate(pour));
    };
    pour();
  },
  noAnswer: () => undefined,
  lostSession: (call) => {
    call.forgetSession();
    call.answer('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}', 404);
  },
} satisfies Readonly<Record<string, Behaviour>>;

/** Right, but in small pieces with pauses between them. */
export function slowChunks(pieces: number, pauseMs: number): Behaviour {
  return async (call) => {
    call.response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(call.rightAnswer),
    });
    const size = Math.ceil(call.rightAnswer.length / pieces);
    for (let at = 0; at < call.rightAnswer.length; at += size) {
      call.response.write(call.rightAnswer.slice(at, at + size));
      await wait(pauseMs);
    }
    call.response.end();
  };
}
