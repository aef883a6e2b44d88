/**
 * The part of JSONPath that names one place: RFC 9535, "singular queries" (`$`, `.name`, `['name']`, `[0]`, `[-1]`).
 * Steps that can name several places (`*`, `..`, slices, filters) are refused, because they have no single value.
 */
type JsonPath = readonly (string | number)[];

type ParsedPath =
  | { readonly ok: true; readonly path: JsonPath }
  | { readonly ok: false; readonly offset: number; readonly problem: string };

const NAME = /\.([\p{L}_][\p{L}\p{N}_-]*)/uy;
const INDEX = /\[(-?(?:0|[1-9]\d*))\]/y;
const QUOTED = /\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y;

/** @param text such as `$.structuredContent.items[0]['unit price']` */
export function parseJsonPath(text: string): ParsedPath {
  if (!text.startsWith('$')) return { ok: false, offset: 0, problem: 'a JSON path begins with $, which is the result' };
  const path: (string | number)[] = [];
  let at = 1;
  while (at < text.length) {
    const step = stepAt(text, at);
    if (step === undefined)
      return {
        ok: false,
        offset: at,
        problem: `\`${text.slice(at, at + 20)}\` is not one step: .name, ['name'] or [0]`,
      };
    path.push(step.step);
    at = step.end;
  }
  return { ok: true, path };
}

function stepAt(text: string, at: number): { readonly step: string | number; readonly end: number } | undefined {
  const name = match(NAME, text, at);
  if (name !== undefined) return { step: name[1] ?? '', end: at + name[0].length };
  const index = match(INDEX, text, at);
  if (index !== undefined) return { step: Number(index[1]), end: at + index[0].length };
  const quoted = match(QUOTED, text, at);
  if (quoted !== undefined)
    return { step: (quoted[1] ?? quoted[2] ?? '').replace(/\\(.)/g, '$1'), end: at + quoted[0].length };
  return undefined;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
