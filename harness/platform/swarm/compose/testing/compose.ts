/** Compose texts to stacks without a file system. */

import { formatProblems } from '../../../../../scenarios/yaml/problem.js';
import { type ComposeOutcome, composeToSwarm, type StackSpec } from '../compose-to-swarm.js';
import type { ServiceSpec } from '../swarm-types.js';

interface World {
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** Files are named 1.yml, 2.yml, ...; the folder is /work, the stack `s`. */
export function compose(
  texts: string | readonly string[],
  { environment = {}, files = {} }: World = {},
): ComposeOutcome {
  return composeToSwarm({
    stack: 's',
    files: [texts].flat().map((text, i) => ({ file: `${i + 1}.yml`, text })),
    folder: '/work',
    environment,
    readFile: (path) => {
      const content = files[path];
      return content === undefined
        ? { kind: 'unreadable', reason: 'no such file' }
        : { kind: 'content', bytes: new TextEncoder().encode(content) };
    },
  });
}

/** @throws with all problems when the stack is refused */
export function stackOf(texts: string | readonly string[], world?: World): StackSpec {
  const outcome = compose(texts, world);
  if (outcome.kind === 'refused') throw new Error(formatProblems(outcome.problems, { withPath: true }));
  return outcome.stack;
}

/** The one service `a`, whose keys are given in flow style, beside the tops of further files. */
export function serviceOf(keys: string, rest = '', world?: World): ServiceSpec {
  const service = stackOf(`services: { a: { image: i, ${keys} } }\n${rest}`, world).services[0];
  if (service === undefined) throw new Error('no service');
  return service;
}

/** `line:column path: message` each, or nothing when the stack is not refused. */
export function problemsOf(texts: string | readonly string[], world?: World): readonly string[] {
  const outcome = compose(texts, world);
  return outcome.kind === 'refused'
    ? formatProblems(outcome.problems, { withPath: true })
        .replace(/\n {4}hint: /g, ' | ')
        .split('\n')
    : [];
}

export function warningsOf(texts: string | readonly string[], world?: World): readonly string[] {
  const { warnings } = compose(texts, world);
  return warnings.length === 0
    ? []
    : formatProblems(warnings, { withPath: true })
        .replace(/\n {4}hint: /g, ' | ')
        .split('\n');
}
