import type { Problem } from '../measure/failure.js';
import { describe, isObject } from './json-value.js';
import { isRunId } from './request-ids.js';

/**
 * Judges a parsed JSON-RPC answer (JSON-RPC 2.0, 5; MCP `CallToolResult`).
 * @param expectation checked against the result when everything else is correct
 * @returns undefined for a correct answer to `id`
 */
export function judgeMessage(
  value: unknown,
  id: number,
  expectation?: (result: unknown) => Problem | undefined,
): Problem | undefined {
  if (!isObject(value)) return violation(`the answer is not a JSON-RPC message but ${describe(value)}`);
  if (value.jsonrpc !== '2.0') return violation(`jsonrpc is ${describe(value.jsonrpc)}, not "2.0"`);
  const { result, error } = value;
  // An error may carry a null id when the server could not read ours (JSON-RPC 2.0, 5).
  const isAnonymousError = error !== undefined && (value.id === null || value.id === undefined);
  if (value.id !== id && !isAnonymousError)
    return isRunId(value.id) ? crossed(value.id) : violation(`the answer carries ${describeId(value.id)}, not ${id}`);
  if (error !== undefined)
    return result === undefined ? judgeError(error) : violation('the answer carries both result and error');
  if (!isObject(result))
    return violation(
      result === undefined
        ? 'the answer carries neither result nor error'
        : `the result is ${describe(result)}, not an object`,
    );
  if (result.isError === true) return { category: 'tool_error', detail: `the tool failed: ${toolMessage(result)}` };
  if (result.resultType === 'input_required') {
    return {
      category: 'tool_error',
      detail: 'the tool asks for input (resultType input_required), which a load client cannot give',
    };
  }
  return expectation?.(result);
}

/** @param error the `error` member of an answer */
export function judgeError(error: unknown): Problem {
  const code = isObject(error) ? error.code : undefined;
  if (!isObject(error) || typeof code !== 'number' || !Number.isInteger(code))
    return violation(`the error has no integer code: ${describe(error)}`);
  return { category: `rpc_${code}`, detail: `JSON-RPC error ${code}: ${describe(error.message)}` };
}

/** @param id of the answer, which another request of the run has */
export function crossed(id: unknown): Problem {
  const where = 'which is the answer to another request: the server or a gateway mixes up its clients';
  return { category: 'crossed', detail: `the answer carries id ${describe(id)}, ${where}` };
}

/** An id for a sentence, in which text that looks like a number is not taken for one. */
export function describeId(id: unknown): string {
  return typeof id === 'string' ? `id ${JSON.stringify(id.slice(0, 200))}, which is text` : `id ${describe(id)}`;
}

export function violation(detail: string): Problem {
  return { category: 'protocol_violation', detail };
}

/** Longest answer that is read, in bytes, where the plan does not say. */
export const ANSWER_BYTES = 16_777_216;

/** Why an answer is not read to its end. @param what `an answer`, for example */
export function overLimit(what: string, bytes: number): string {
  return `${what} of more than ${bytes} bytes, a limit of swarmbench: raise it with \`limits: { answer: 64 MiB }\``;
}

/** Why a parser has stopped. @property isOverLimit it is a limit of ours */
export function unreadable({
  problem,
  isOverLimit,
}: {
  readonly problem: string;
  readonly isOverLimit: boolean;
}): Problem {
  return { category: isOverLimit ? 'answer_limit' : 'protocol_violation', detail: problem };
}

function toolMessage(result: Record<string, unknown>): string {
  const content: unknown = Array.isArray(result.content) ? result.content[0] : undefined;
  return describe(isObject(content) && typeof content.text === 'string' ? content.text : result.content);
}
