/** Errors as the user sees them: what is wrong, where, and what to do about it. */
import { exitCode } from './exit-code.js';

interface CliErrorDetails {
  /** Stable: scripts match on it. */
  readonly code: string;
  readonly message: string;
  readonly where?: string | undefined;
  readonly hint?: string | undefined;
  readonly exitCode?: number;
}

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(details: CliErrorDetails) {
    super(details.message);
    this.code = details.code;
    this.where = details.where;
    this.hint = details.hint;
    this.exitCode = details.exitCode ?? exitCode.usage;
  }
}

/** Codes of other rooms that do not mean an internal error. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  PLAN_REFUSED: exitCode.usage,
  RUN_NOT_FOUND: exitCode.usage,
  PREFLIGHT_FAILED: exitCode.unreachable,
  PREFLIGHT_TIMEOUT: exitCode.unreachable,
};

/** Does not use `instanceof`: under jest, errors of Node's own modules come from another realm. */
function isError(thrown: unknown): thrown is Error & { readonly code?: unknown; readonly hint?: unknown } {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown && typeof thrown.message === 'string';
}

/** Known errors have a stable code. All others are internal errors, and the hint says how to get a stack trace. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (isError(error) && typeof error.code === 'string') {
    const hint = typeof error.hint === 'string' ? error.hint : undefined;
    return new CliError({
      code: error.code,
      message: error.message,
      hint,
      exitCode: EXIT_CODES[error.code] ?? exitCode.internal,
    });
  }
  return new CliError({
    code: 'UNEXPECTED',
    message: `unexpected: ${isError(error) ? error.message : String(error)}`,
    hint: 'this is a bug in swarmbench; run it again with SWARMBENCH_DEBUG=1 to see the stack trace',
    exitCode: exitCode.internal,
  });
}

export function renderError(error: CliError): string {
  const lines = [`error: ${error.message}`];
  if (error.where !== undefined) lines.push(`  ${error.where}`);
  if (error.hint !== undefined) lines.push(`  hint: ${error.hint}`);
  lines.push(`  code: ${error.code}`);
  return `${lines.join('\n')}\n`;
}
