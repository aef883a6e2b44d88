/** The Docker CLI, with an environment that holds nothing but what a case gives. */
import { spawn } from 'node:child_process';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param environment besides PATH (unless given), and DOCKER_HOST where the caller has one */
export async function docker(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<CliResult> {
  const { PATH, DOCKER_HOST } = process.env;
  const child = spawn('docker', args, {
    env: { PATH, DOCKER_HOST, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number>((resolve) => child.once('close', (exit) => resolve(exit ?? 1))),
  ]);
  return { code, stdout, stderr };
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
