/** Which process answered: under this key in `_meta` of every result, and in a header of every HTTP answer. */
export const replicaMetaKey = 'swarmbench/replica';
export const replicaHeader = 'x-swarmbench-replica';
export const serverName = 'swarmbench-reference';
export const serverVersion = '1.0.0';
