/** How the objects of a stack are named and labelled. */
import type { Labels } from './swarm-types.js';

/** Every object of a stack carries it: `docker stack ls`, `ps` and `rm` find a stack by nothing else. */
export const STACK_LABEL = 'com.docker.stack.namespace';
/** The image as the file names it: the engine may pin the one that it runs to a digest. */
export const IMAGE_LABEL = 'com.docker.stack.image';

export function scoped(stack: string, key: string): string {
  return `${stack}_${key}`;
}

export function withStack(stack: string, labels: Labels | undefined): Labels {
  return { ...labels, [STACK_LABEL]: stack };
}
