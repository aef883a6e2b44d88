import { spawn } from 'node:child_process';

/** What a client printed about its load. */
interface LoadReport {
  readonly requests: number;
  readonly failed: number;
  readonly cpuSeconds: number;
  readonly userSeconds: number;
  /** Of the whole program, its start included. */
  readonly totalCpuSeconds: number;
}

/**
 * Runs a client on one core. It prints its report as its last line; where that says nothing of processor time (wrk),
 * the time of the whole program is taken: it has no start-up to speak of.
 * @throws Error with the output of the program when it fails
 */
export async function runMeasured(core: number, command: readonly string[]): Promise<LoadReport> {
  // bash reports the processor time of its child to the millisecond; Node knows only its own.
  const script = 'TIMEFORMAT="cpu %3U %3S"; time "$@"';
  const child = spawn('bash', ['-c', script, 'bash', 'taskset', '-c', String(core), ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  const times = /cpu ([\d.]+) ([\d.]+)/.exec(stderr);
  if (code !== 0 || times === null) throw new Error(`${command.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
  const userSeconds = Number(times[1]);
  const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Pick<LoadReport, 'requests' | 'failed'> &
    Partial<LoadReport>;
  const totalCpuSeconds = userSeconds + Number(times[2]);
  return { cpuSeconds: totalCpuSeconds, userSeconds, ...report, totalCpuSeconds };
}
