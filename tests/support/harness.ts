import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from './program.js';
import { tempFolder } from './temp-folder.js';

const OPERATOR_TOKEN = 'operator-token-of-this-test';
const WORKER_TOKEN = 'worker-token-of-this-test';

export interface Harness {
  readonly url: string;
  readonly tokenFile: string;
  readonly results: string;
  readonly program: Program;
  /** Starts it again on the same port, files and results; the program has to have ended. */
  startAgain(): Promise<Program>;
}

/** A real `swarmbench serve` with its local platform. */
export async function startHarness(): Promise<Harness> {
  const folder = tempFolder();
  const [tokenFile, workerFile, results] = [join(folder, 'operator'), join(folder, 'worker'), join(folder, 'results')];
  writeFileSync(tokenFile, OPERATOR_TOKEN);
  writeFileSync(workerFile, WORKER_TOKEN);
  const serve = (port: string): Program =>
    startProgram('harness/cli/main.js', [
      ...['serve', '--port', port, '--out', results],
      ...['--operator-token-file', tokenFile, '--worker-token-file', workerFile],
    ]);
  const program = serve('0');
  const [, url = ''] = await program.wrote(/listens on (\S+),/);
  const startAgain = async (): Promise<Program> => {
    const again = serve(new URL(url).port);
    await again.wrote(/listens on/);
    return again;
  };
  return { url, tokenFile, results, program, startAgain };
}
