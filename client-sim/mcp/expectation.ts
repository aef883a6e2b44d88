import { isDeepStrictEqual } from 'node:util';
import type { Placeholder, Template } from '../../scenarios/schema/grammar/template.js';
import type { ExpectPlan } from '../../scenarios/schema/plan.js';
import type { Problem } from '../measure/failure.js';
import { type BodySegment, drawnSegment, fixedSegment } from './body-segment.js';
import type { Draw } from './draw.js';
import { describe, isObject } from './json-value.js';
import { flattened } from './template-parts.js';

/**
 * Checks an answer against the `expect` of a scenario.
 * @param result of a JSON-RPC answer that is correct by the rules of MCP
 * @param bytes length of the whole JSON-RPC message
 * @returns the first expectation that is not met (category `expectation`), else undefined
 */
export type Expectation = (result: unknown, bytes: number, draw: Draw) => Problem | undefined;

/** How the results of an operation are judged beyond JSON-RPC; a `RequestTemplate` has these. */
export interface ResultRules {
  /** For every answer that is parsed. */
  readonly judge?: Expectation | undefined;
  /** There is something to check in every answer, so that all must be parsed. */
  readonly judgesAll?: boolean | undefined;
}

/** The rules for the answer to one request. */
export interface DrawnRules extends ResultRules {
  readonly draw: Draw;
}

/** For judgements that take the result alone. */
export function boundTo(
  rules: DrawnRules | undefined,
  bytes: number,
): ((result: unknown) => Problem | undefined) | undefined {
  const judge = rules?.judge;
  return judge === undefined ? undefined : (result) => judge(result, bytes, rules?.draw ?? NO_DRAW);
}

const NO_DRAW: Draw = { seed: 0, slot: 0, sequence: 0 };

/** @param drawn the placeholders of the request, in order: those of the expectation take their values */
export function compileExpectation(plan: ExpectPlan, drawn: readonly Placeholder[] = []): Expectation {
  const contains = plan.contains.map((text) => (typeof text === 'string' ? () => text : compileValue(text, drawn)));
  const values = plan.equals.map(({ path, json, template, ...rest }) => {
    const value: unknown = JSON.parse(json);
    return { ...rest, path, valueFor: template === undefined ? () => value : compileValue(template, drawn) };
  });
  return (result, bytes, draw) => {
    if (plan.minBytes !== undefined && bytes < plan.minBytes)
      return unmet(`an answer of ${bytes} bytes, fewer than ${plan.minBytes}`);
    if (plan.maxBytes !== undefined && bytes > plan.maxBytes)
      return unmet(`an answer of ${bytes} bytes, more than ${plan.maxBytes}`);
    for (const textFor of contains) {
      const text = String(textFor(draw));
      if (!holdsText(result, text)) return unmet(`no text of the result contains ${JSON.stringify(text)}`);
    }
    for (const { text, path, valueFor } of values) {
      const value = valueFor(draw);
      const found = valueAt(result, path);
      if (!found.there) return unmet(`${text} does not exist in the result`);
      if (!isDeepStrictEqual(found.value, value))
        return unmet(`${text} is ${shown(found.value)}, not ${JSON.stringify(value)}`);
    }
    return undefined;
  };
}

/** With quotes around a text, which could look like a number. */
function shown(value: unknown): string {
  return describe(typeof value === 'string' ? JSON.stringify(value) : value);
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

/**
 * A value with the placeholders of its request. One that is written as in the request has its value: the first as the
 * first of the same kind there, and so on; those that come on top of them repeat the last.
 */
function compileValue(template: Template, drawn: readonly Placeholder[]): (draw: Draw) => unknown {
  const used = new Map<string, number>();
  const segments = flattened(template).map((part): BodySegment => {
    if (typeof part === 'string') return fixedSegment(part);
    const written = JSON.stringify(part);
    const positions = drawn.flatMap((each, index) => (JSON.stringify(each) === written ? [index + 1] : []));
    const nth = used.get(written) ?? 0;
    used.set(written, nth + 1);
    return drawnSegment(part, positions[Math.min(nth, positions.length - 1)] ?? 0);
  });
  const bytes = Buffer.allocUnsafe(segments.reduce((sum, { maxBytes }) => sum + maxBytes, 0));
  return (draw) => {
    let at = 0;
    for (const segment of segments) at = segment.write(bytes, at, draw);
    return JSON.parse(bytes.toString('utf8', 0, at)) as unknown;
  };
}
