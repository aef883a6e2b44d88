import type { Findings } from '../findings.js';
import type { ReadFile } from '../load/read.js';
import type { ComposeModel } from '../model.js';
import type { Labels } from '../swarm-types.js';

export interface ConvertContext {
  readonly stack: string;
  readonly model: ComposeModel;
  readonly readFile: ReadFile;
  readonly findings: Findings;
}

/** Every object of a stack carries it: `docker stack ls`, `ps` and `rm` find a stack by nothing else. */
export const STACK_LABEL = 'com.docker.stack.namespace';
/** The image as the file names it: the engine may pin the one it runs to a digest. */
export const IMAGE_LABEL = 'com.docker.stack.image';

export function scoped(stack: string, key: string): string {
  return `${stack}_${key}`;
}

export function withStack(stack: string, labels: Labels | undefined): Labels {
  return { ...labels, [STACK_LABEL]: stack };
}
