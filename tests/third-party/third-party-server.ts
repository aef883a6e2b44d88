import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import net, { type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { onTestEnd } from '../support/test-end.js';
import { until } from '../support/until.js';

const require = createRequire(import.meta.url);

/** Where a package that exports no such file has it all the same. */
function fileOf(packageName: string, file: string): string {
  return join(dirname(require.resolve(`${packageName}/package.json`)), file);
}

const everything = fileOf('@modelcontextprotocol/server-everything', 'dist/index.js');

/** The official example server: session era, answers on event streams. @returns its MCP endpoint */
export async function startEverything(): Promise<string> {
  const port = await freePort();
  start([everything, 'streamableHttp'], { PORT: String(port) });
  return answering(port);
}

/** The same server over HTTP+SSE (2024-11-05). @returns the address of its stream */
export async function startEverythingSse(): Promise<string> {
  const port = await freePort();
  start([everything, 'sse'], { PORT: String(port) });
  return (await answering(port)).replace(/mcp$/, 'sse');
}

/** The same server as a process for each session. */
export const everythingCommand: readonly string[] = [process.execPath, everything, 'stdio'];

/** `mcp-proxy` before the example server: both eras on one endpoint. @returns its MCP endpoint */
export function startProxiedEverything(): Promise<string> {
  return startProxied([process.execPath, everything]);
}

/** `mcp-proxy` before a server that speaks over its standard streams. @returns its MCP endpoint */
export async function startProxied(command: readonly string[]): Promise<string> {
  const port = await freePort();
  start([
    fileOf('mcp-proxy', 'dist/bin/mcp-proxy.mjs'),
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--',
    ...command,
  ]);
  return answering(port);
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  startOther([process.execPath, ...args], env);
}

/** Starts a program of somebody else, which ends with the test. */
export function startOther(
  [command = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): void {
  const child = spawn(command, args, {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  onTestEnd(async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    // The whole group: the proxy has the server for a child.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  });
}

/** Both servers take a port number and cannot say which one they found themselves. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until something takes connections there. @returns its MCP endpoint, where that is `/mcp` */
export async function answering(port: number): Promise<string> {
  const accepts = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
      socket.on('error', () => resolve(false));
    });
  await until(`the server on port ${port}`, accepts);
  return `http://127.0.0.1:${port}/mcp`;
}
