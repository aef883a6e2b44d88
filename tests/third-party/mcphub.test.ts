/**
 * MCPHub, a gateway that fronts several servers in groups. npm does not have it here, so it runs where somebody has its
 * back end built: `npm install && npx tsc` in a checkout of its source, then
 *
 *     MCPHUB_FOLDER=/path/to/checkout npm test -- tests/third-party/mcphub
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { buildRoot } from '../support/package-root.js';
import { tempFolder } from '../support/temp-folder.js';
import { runBaseline } from './baseline-run.js';
import { answering, everythingCommand, freePort, startOther } from './third-party-server.js';

jest.setTimeout(180_000);

const { MCPHUB_FOLDER } = process.env;
const [name, run] =
  MCPHUB_FOLDER === undefined
    ? ['MCPHub (skipped: MCPHUB_FOLDER names no checkout with its back end built)', describe.skip]
    : ['MCPHub', describe];

run(name, () => {
  test('all servers, a group, a server by name, and HTTP+SSE: each call is answered', async () => {
    const folder = tempFolder();
    const reference = [process.execPath, join(buildRoot, 'swarm/reference-server/main.js'), '--stdio'];
    const server = ([command, ...args]: readonly string[]) => ({ command, args });
    const settings = {
      mcpServers: { everything: server(everythingCommand), reference: server(reference) },
      groups: [{ id: randomUUID(), name: 'first', servers: ['everything'] }],
      users: [],
    };
    writeFileSync(join(folder, 'mcp_settings.json'), JSON.stringify(settings));
    const port = await freePort();
    const script = 'cd "$1" && exec "$2" "$3"';
    const main = join(MCPHUB_FOLDER ?? '', 'dist', 'index.js');
    startOther(['sh', '-c', script, 'sh', folder, process.execPath, main], { PORT: String(port) });
    const url = await answering(port);
    for (const path of ['', '/first', '/reference']) {
      const { sessions, succeeded } = await runBaseline(['--target', `${url}${path}`]);
      expect([path, sessions, Object.keys(succeeded)]).toEqual([path, true, ['tools/list']]);
    }
    const overSse = await runBaseline(['--target', url.replace(/mcp$/, 'sse')]);
    expect(overSse.succeeded['tools/list']).toBeGreaterThan(0);
  });
});
