/** Runs a program and shows its output only when it fails. */
import { spawn } from 'node:child_process';

const SHOWN_LINES = 40;

export class PrepareError extends Error {
  /** @param {{message: string, hint: string, output?: string, exitCode?: number}} what */
  constructor({ message, hint, output = '', exitCode = 1 }) {
    super(message);
    this.hint = hint;
    this.output = output === '' ? '' : `${output.trimEnd()}\n`;
    this.exitCode = exitCode;
  }
}

/**
 * Resolves when the program exits with 0. Passes SIGINT and SIGTERM on and then fails, so that an interrupted
 * installation leaves no program behind.
 *
 * @param {{command: string, args: string[], cwd: string, failure: string, hint: string}} what
 */
export function runQuietly({ command, args, cwd, failure, hint }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let interrupted;
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);

    const passOn = (signal) => {
      interrupted = signal;
      child.kill(signal);
    };
    process.on('SIGINT', passOn);
    process.on('SIGTERM', passOn);
    const settle = (act) => {
      process.off('SIGINT', passOn);
      process.off('SIGTERM', passOn);
      act();
    };

    child.once('error', (error) =>
      settle(() => reject(new PrepareError({ message: `${failure}: ${error.message}`, hint }))),
    );
    child.once('close', (code, signal) =>
      settle(() => {
        if (interrupted !== undefined)
          reject(
            new PrepareError({
              message: `${failure}: interrupted`,
              hint: 'run the same command again',
              exitCode: interrupted === 'SIGINT' ? 130 : 143,
            }),
          );
        else if (code === 0) resolve();
        else
          reject(
            new PrepareError({
              message: `${failure} (${signal ?? `exit code ${code}`})`,
              hint,
              output: lastLines(output),
            }),
          );
      }),
    );
  });
}

function lastLines(text) {
  const lines = text.trimEnd().split('\n');
  const shown = lines.slice(-SHOWN_LINES).map((line) => `  ${line}`);
  if (lines.length > SHOWN_LINES) shown.unshift(`  ... (${lines.length - SHOWN_LINES} lines before these)`);
  return shown.join('\n');
}
