/**
 * The process that answered, under this key in `_meta` of every result that is not empty, and in a header of every HTTP
 * answer.
 */
const replicaMetaKey = 'swarmbench/replica';
export const replicaHeader = 'x-swarmbench-replica';

/**
 * A result that names the process that made it. An empty one stays empty, as MCP demands (`EmptyResult` of ping,
 * resources/subscribe, ...); its HTTP answer names the process all the same.
 */
export function signed<Result extends { _meta?: Record<string, unknown> | undefined }>(
  result: Result,
  replica: string,
): Result {
  return Object.keys(result).length === 0
    ? result
    : { ...result, _meta: { ...result._meta, [replicaMetaKey]: replica } };
}

export const serverName = 'swarmbench-reference';
export const serverVersion = '1.0.0';
