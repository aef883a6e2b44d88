/**
 * autocannon under full load. Arguments: URL, connections, seconds, `static` or `unique` (ids). Prints one line of
 * JSON.
 */
import { createRequire } from 'node:module';
import { LoadTime, WARM_UP_SECONDS } from './load-time.js';

interface AutocannonResult {
  readonly '2xx': number;
  readonly non2xx: number;
  readonly errors: number;
}
type Autocannon = (options: Readonly<Record<string, unknown>>) => PromiseLike<AutocannonResult>;

// The package has no types.
const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;

const [url = '', connections = '20', seconds = '5', ids = 'static'] = process.argv.slice(2);
const unique = ids === 'unique';
const id = unique ? '"[<id>]"' : '1000000000';
const options = {
  url,
  connections: Number(connections),
  method: 'POST',
  idReplacement: unique,
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
  },
  body:
    `{"jsonrpc":"2.0","id":${id},"method":"tools/call",` +
    '"params":{"name":"echo","arguments":{"message":"abcdefghijklmnopqrstuvwxyz012345"}}}',
};
await autocannon({ ...options, duration: WARM_UP_SECONDS });
const time = new LoadTime();
const result = await autocannon({ ...options, duration: Number(seconds) });
process.stdout.write(
  `${JSON.stringify({ requests: result['2xx'], failed: result.non2xx + result.errors, ...time.read() })}\n`,
);
