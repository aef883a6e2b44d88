/** Placement constraints: `node.role == manager`. Facts: moby/swarmkit, manager/constraint. */

const KEY = /^[a-z_][a-z0-9\-_.]+$/i;
const VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

/** Undefined when the text is a constraint. Whether any node meets it is another question. */
export function constraintProblem(text: string): string | undefined {
  for (const operator of ['==', '!=']) {
    const [key = '', value, ...rest] = text.split(operator);
    if (value === undefined) continue;
    if (!KEY.test(key.trim())) return `"${key.trim()}" cannot be the left side of a constraint`;
    const right = [value, ...rest].join(operator).trim();
    return VALUE.test(right) ? undefined : `"${right}" cannot be the right side of a constraint`;
  }
  return `"${text}" has neither == nor !=`;
}
