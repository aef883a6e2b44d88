/** Converts compose texts into stacks, without a file system. */

import {
  type ComposeOutcome,
  composeToSwarm,
  type StackSpec,
} from '../../../harness/platform/swarm/compose/compose-to-swarm.js';
import type { Problem } from '../../../harness/platform/swarm/compose/findings.js';
import type { ServiceSpec } from '../../../harness/platform/swarm/compose/swarm-types.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';

interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** Files are named 1.yml, 2.yml, ...; the folder is /work, the stack `s`. */
export function compose(
  texts: string | readonly string[],
  { environment = {}, files = {} }: Surroundings = {},
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
export function stackOf(texts: string | readonly string[], surroundings?: Surroundings): StackSpec {
  const outcome = compose(texts, surroundings);
  if (outcome.kind === 'refused') throw new Error(formatProblems(outcome.problems, { withPath: true }));
  return outcome.stack;
}

/** The service `a` with these keys. @param rest further lines of the file */
export function serviceOf(keys: string, rest = '', surroundings?: Surroundings): ServiceSpec {
  const service = stackOf(`services: { a: { image: i, ${keys} } }\n${rest}`, surroundings).services[0];
  if (service === undefined) throw new Error('no service');
  return service;
}

/** `file:line:column: path: message | hint` each; empty when the stack is not refused. */
export function problemsOf(texts: string | readonly string[], surroundings?: Surroundings): readonly string[] {
  const outcome = compose(texts, surroundings);
  return outcome.kind === 'refused' ? linesOf(outcome.problems) : [];
}

export function warningsOf(texts: string | readonly string[], surroundings?: Surroundings): readonly string[] {
  return linesOf(compose(texts, surroundings).warnings);
}

function linesOf(problems: readonly Problem[]): readonly string[] {
  return problems.map((problem) => formatProblems([problem], { withPath: true }).replace('\n    hint: ', ' | '));
}
