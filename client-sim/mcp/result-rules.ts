import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import type { Problem } from '../measure/failure.js';
import { describe, isObject } from './json-value.js';

/** Judges the result of an operation by the schema of MCP. @returns undefined for a correct one */
export type ResultCheck = (result: Record<string, unknown>) => Problem | undefined;

/**
 * The shape that MCP prescribes for the result of a method, in all of its revisions. Answers that equal a known one are
 * not checked again; see `AnswerPattern`.
 */
export function resultCheck(method: OperationPlan['method'], era: 'legacy' | 'modern'): ResultCheck {
  const shape = SHAPES[method];
  return (result) => (era === 'modern' ? wrongResultType(result) : undefined) ?? shape?.(result);
}

function wrong(detail: string): Problem {
  return { category: 'protocol_violation', detail };
}

/** `input_required` is judged before. */
function wrongResultType({ resultType }: Record<string, unknown>): Problem | undefined {
  if (resultType === undefined || resultType === 'complete') return undefined;
  const announced = 'which this client did not announce to understand';
  return wrong(`resultType is ${describe(resultType)}, ${announced}: it asked for a complete result`);
}

const SHAPES: Partial<Readonly<Record<OperationPlan['method'], ResultCheck>>> = {
  'tools/call': (result) => {
    const { content, structuredContent, isError } = result;
    if (content === undefined && isObject(result.task))
      return wrong('the result is a task, which this client did not ask for');
    if (isError !== undefined && typeof isError !== 'boolean')
      return wrong(`isError is ${describe(isError)}, neither true nor false`);
    if (structuredContent === null) return wrong('structuredContent is null');
    return list(content, 'content', contentProblem);
  },
  'tools/list': ({ tools }) => list(tools, 'tools', (tool) => texts(tool, ['name'])),
  'prompts/list': ({ prompts }) => list(prompts, 'prompts', (prompt) => texts(prompt, ['name'])),
  'resources/list': ({ resources }) => list(resources, 'resources', (resource) => texts(resource, ['name', 'uri'])),
  'resources/read': ({ contents }) => list(contents, 'contents', contentsProblem),
  'prompts/get': ({ messages }) =>
    list(messages, 'messages', (message) => {
      if (message.role !== 'user' && message.role !== 'assistant') return `.role is ${describe(message.role)}`;
      if (!isObject(message.content)) return `.content is ${describe(message.content)}, not an object`;
      const problem = contentProblem(message.content);
      return problem === undefined ? undefined : `.content${problem}`;
    }),
};

/** @param problemOf what is wrong with an item: the end of a sentence that begins with its place */
function list(
  value: unknown,
  name: string,
  problemOf: (item: Record<string, unknown>) => string | undefined,
): Problem | undefined {
  if (!Array.isArray(value))
    return wrong(
      value === undefined
        ? `the result has no \`${name}\`, which MCP requires`
        : `${name} is ${describe(value)}, not a list`,
    );
  for (const [index, item] of value.entries()) {
    const problem = isObject(item) ? problemOf(item) : ` is ${describe(item)}, not an object`;
    if (problem !== undefined) return wrong(`${name}[${index}]${problem}`);
  }
  return undefined;
}

/** What each type of content must have, as text. */
const CONTENT: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  image: ['data', 'mimeType'],
  audio: ['data', 'mimeType'],
  resource_link: ['uri', 'name'],
  resource: [],
};

function contentProblem(item: Record<string, unknown>): string | undefined {
  const { type } = item;
  const members = typeof type === 'string' && Object.hasOwn(CONTENT, type) ? CONTENT[type] : undefined;
  if (members === undefined) return `.type is ${describe(type)}, none of ${Object.keys(CONTENT).join(', ')}`;
  if (type !== 'resource') return texts(item, members);
  if (!isObject(item.resource)) return `.resource is ${describe(item.resource)}, not an object`;
  const problem = contentsProblem(item.resource);
  return problem === undefined ? undefined : `.resource${problem}`;
}

function contentsProblem(item: Record<string, unknown>): string | undefined {
  if (typeof item.text !== 'string' && typeof item.blob !== 'string') return ' has neither `text` nor `blob`';
  return texts(item, ['uri']);
}

function texts(item: Record<string, unknown>, names: readonly string[]): string | undefined {
  const missing = names.find((name) => typeof item[name] !== 'string');
  return missing === undefined ? undefined : `.${missing} is ${describe(item[missing])}, not text`;
}

/**
 * Judges `structuredContent` by the `outputSchema` of its tool.
 * @param schema as JSON
 * @throws Error for a schema that cannot be compiled
 */
export function structuredCheck(schema: string): ResultCheck {
  const validate = compileSchema(schema);
  return ({ structuredContent }) => {
    if (structuredContent === undefined)
      return wrong('the result has no `structuredContent`, although its tool declares an outputSchema');
    if (validate(structuredContent)) return undefined;
    const [first] = validate.errors ?? [];
    const place = first === undefined || first.instancePath === '' ? 'structuredContent' : first.instancePath;
    return wrong(`structuredContent does not match the tool's outputSchema: ${place} ${first?.message ?? 'is wrong'}`);
  };
}

/** MCP's default is JSON Schema 2020-12 (2025-11-25, "JSON Schema Usage"); older servers write draft 7. */
function compileSchema(schema: string): ReturnType<Ajv['compile']> {
  const parsed = JSON.parse(schema) as Record<string, unknown>;
  const isOld = typeof parsed.$schema === 'string' && /draft-0[4-7]/.test(parsed.$schema);
  const { $schema: _, $id: _id, ...rest } = parsed;
  const options = { strict: false, validateFormats: false, logger: false } as const;
  return (isOld ? new Ajv(options) : new Ajv2020(options)).compile(rest);
}
