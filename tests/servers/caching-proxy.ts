/** A gateway that spoils a measurement: it keeps the answers of one tool, and asks twice for another. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestEnd } from '../support/test-end.js';

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** Of an HTTP server that answers with JSON. Ends with the test. @returns its URL */
export async function startCachingProxy(
  upstream: string,
  { keeps, repeats }: { readonly keeps: string; readonly repeats: string },
): Promise<string> {
  const kept = new Map<string, Promise<Answer>>();
  const proxy = createServer((incoming, outgoing) => {
    const serve = async (): Promise<void> => {
      const body = await read(incoming);
      const { id, tool, key } = callIn(body);
      const ask = (): Promise<Answer> => forward(upstream, incoming, body);
      if (tool === repeats) await ask();
      let answer: Answer;
      if (tool === keeps) {
        const known = kept.get(key) ?? ask();
        kept.set(key, known);
        const found = await known;
        answer = { ...found, body: JSON.stringify({ ...(JSON.parse(found.body) as object), id }) };
      } else answer = await ask();
      const headers = answer.headers.filter(([name]) => !/^(content-length|transfer-encoding|connection)$/.test(name));
      outgoing.writeHead(answer.status, Object.fromEntries(headers)).end(answer.body);
    };
    void serve().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestEnd(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/mcp`;
}

async function forward(upstream: string, { method = 'GET', headers }: IncomingMessage, body: string): Promise<Answer> {
  const passed = Object.entries(headers).filter(([name]) => !/^(host|connection|content-length)$/.test(name));
  const answer = await fetch(upstream, {
    method,
    headers: passed.map(([name, value]): [string, string] => [name, String(value)]),
    ...(body === '' ? {} : { body }),
  });
  return { status: answer.status, headers: [...answer.headers], body: await answer.text() };
}

/** What a request calls; `key`: the tool and its arguments. */
function callIn(body: string): { readonly id?: unknown; readonly tool?: string; readonly key: string } {
  if (body === '') return { key: '' };
  const { id, params } = JSON.parse(body) as {
    readonly id?: unknown;
    readonly params?: { readonly name?: string; readonly arguments?: unknown };
  };
  return {
    id,
    key: JSON.stringify([params?.name, params?.arguments]),
    ...(params?.name === undefined ? {} : { tool: params.name }),
  };
}

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
