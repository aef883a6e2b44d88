/** The programs of `odd/`: servers that are odd in one way each, which their mode chooses. */
import { join } from 'node:path';
import { packageRoot } from '../support/package-root.js';
import { startCommand } from '../support/program.js';

export function oddServer(file: string): string {
  return join(packageRoot, 'tests/servers/odd', file);
}

/** Ends with the test. @returns the port on which it listens */
export async function startOddServer(file: string, mode: string, more: readonly string[] = []): Promise<number> {
  const [, port] = await startCommand([process.execPath, oddServer(file), mode, ...more]).wrote(/"port":(\d+)/);
  return Number(port);
}
