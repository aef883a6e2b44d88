import type { Finding } from '../../platform/swarm/preflight/finding.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';

/** Tells warnings. @throws CliError exit code 3 with all problems */
export function refuseProblems(findings: readonly Finding[], tell: (line: string) => void): void {
  for (const { message, hint } of findings.filter(({ level }) => level === 'warning'))
    tell(`warning: ${message}${hint === undefined ? '' : ` (${hint})`}`);
  const problems = findings.filter(({ level }) => level === 'problem');
  const [first, ...others] = problems;
  if (first === undefined) return;
  throw new CliError({
    code: first.code,
    message: first.message,
    where:
      others.length === 0
        ? undefined
        : others
            .map(({ message, hint }) => `${message}${hint === undefined || hint === first.hint ? '' : ` (${hint})`}`)
            .join('\n  '),
    hint: first.hint,
    exitCode: exitCode.unreachable,
  });
}
