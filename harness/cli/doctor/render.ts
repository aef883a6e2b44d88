import type { Style } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { Finding } from './judge.js';

/** One line a finding; the command that mends it below, where something is to mend. */
export function renderFindings(findings: readonly Finding[], style: Style): string {
  const paint = { ok: style.green, warn: style.yellow, missing: style.red, note: style.dim } as const;
  const rows = table(findings.map(({ status, name, detail }) => [paint[status](status), name, detail]));
  const lines = findings.flatMap(({ mend }, index) => [
    rows[index] ?? '',
    ...(mend === undefined ? [] : [`         ${style.dim('mend:')} ${mend}`]),
  ]);
  return `${lines.join('\n')}\n`;
}
