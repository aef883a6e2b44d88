import { isDeepStrictEqual } from 'node:util';
import type { ExpectPlan } from '../../scenarios/schema/plan.js';
import type { Problem } from '../measure/failure.js';
import { describe, isObject } from './json-value.js';

/**
 * Checks an answer against the `expect` of a scenario.
 * @param result of a JSON-RPC answer that is correct by the rules of MCP
 * @param bytes length of the whole JSON-RPC message
 * @returns the first expectation that is not met (category `expectation`), else undefined
 */
export type Expectation = (result: unknown, bytes: number) => Problem | undefined;

export function compileExpectation(plan: ExpectPlan): Expectation {
  const values = plan.equals.map(({ path, json, ...rest }) => ({
    ...rest,
    path,
    json,
    value: JSON.parse(json) as unknown,
  }));
  return (result, bytes) => {
    if (plan.minBytes !== undefined && bytes < plan.minBytes)
      return unmet(`an answer of ${bytes} bytes, fewer than ${plan.minBytes}`);
    if (plan.maxBytes !== undefined && bytes > plan.maxBytes)
      return unmet(`an answer of ${bytes} bytes, more than ${plan.maxBytes}`);
    for (const text of plan.contains)
      if (!holdsText(result, text)) return unmet(`no text of the result contains ${JSON.stringify(text)}`);
    for (const { text, path, value, json } of values) {
      const found = valueAt(result, path);
      if (!found.there) return unmet(`${text} does not exist in the result`);
      if (!isDeepStrictEqual(found.value, value)) return unmet(`${text} is ${describe(found.value)}, not ${json}`);
    }
    return undefined;
  };
}

function unmet(detail: string): Problem {
  return { category: 'expectation', detail };
}

/** Whether any string in the value contains `text`. */
function holdsText(value: unknown, text: string): boolean {
  if (typeof value === 'string') return value.includes(text);
  if (Array.isArray(value)) return value.some((item) => holdsText(item, text));
  return isObject(value) && Object.values(value).some((member) => holdsText(member, text));
}

type Found = { readonly there: true; readonly value: unknown } | { readonly there: false };

function valueAt(root: unknown, path: readonly (string | number)[]): Found {
  let value = root;
  for (const step of path) {
    if (typeof step === 'number') {
      if (!Array.isArray(value)) return { there: false };
      const index = step < 0 ? value.length + step : step;
      if (index < 0 || index >= value.length) return { there: false };
      value = value[index] as unknown;
    } else {
      if (!isObject(value) || !Object.hasOwn(value, step)) return { there: false };
      value = value[step];
    }
  }
  return { there: true, value };
}
