/**
 * Bearer tokens for the target: from a file or the environment, never from the scenario's text or the command line's.
 */

import { descend, type MapNode } from '../../yaml/node.js';
import { problemAt } from '../../yaml/problem.js';
import type { TargetSource } from '../keys/scenario-schema.js';
import type { ReportProblem } from '../source-part.js';
import { type Environment, expandVariables } from './headers.js';
import {
  readSecretFile,
  refuseForeignFile,
  type SecretReference,
  type SecretSource,
  secretReference,
} from './secret-files.js';

/** RFC 6750, 2.1: b64token. */
const bearer = /^[A-Za-z0-9\-._~+/]+=*$/;

interface AuthContext {
  readonly secrets: SecretSource;
  readonly env: Environment;
  readonly refuse: ReportProblem;
  /** Headers that go with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @returns undefined when the target has no tokens, or something is wrong with them, which is reported */
export function resolveTokens(
  source: TargetSource['auth'],
  node: MapNode,
  context: AuthContext,
): readonly string[] | undefined {
  const { secrets, refuse } = context;
  const tokens =
    secrets.from === 'request'
      ? fromRequest(source, node, secrets.tokens, refuse)
      : fromFiles(source, node, secrets, context);
  if (tokens !== undefined && Object.keys(context.headers).some((name) => name.toLowerCase() === 'authorization')) {
    refuse(
      problemAt(
        descend(node, ['target', 'auth'])?.at ?? { file: '--auth-token-file', line: 1, column: 1 },
        'CONFLICT',
        'target.auth',
        'the tokens and an `authorization` header exclude each other',
        'take one of them out',
      ),
    );
  }
  return tokens;
}

function fromRequest(
  source: TargetSource['auth'],
  node: MapNode,
  given: readonly string[] | undefined,
  refuse: ReportProblem,
): readonly string[] | undefined {
  if (given !== undefined) return given;
  for (const key of ['tokenFile', 'tokenEnv'] as const)
    if (source?.[key] !== undefined) refuseForeignFile(node, ['target', 'auth', key], refuse);
  return undefined;
}

function fromFiles(
  source: TargetSource['auth'],
  node: MapNode,
  { readText, options }: Extract<SecretSource, { from: 'files' }>,
  { env, refuse }: AuthContext,
): readonly string[] | undefined {
  const fromCommandLine = options.tokenFile !== undefined || options.tokenEnv !== undefined;
  // An option takes the place of both keys.
  const file = secretReference(
    node,
    ['target', 'auth', 'tokenFile'],
    fromCommandLine ? undefined : source?.tokenFile,
    '--auth-token-file',
    options.tokenFile,
  );
  const variable = secretReference(
    node,
    ['target', 'auth', 'tokenEnv'],
    fromCommandLine ? undefined : source?.tokenEnv,
    '--auth-token-env',
    options.tokenEnv,
  );
  if (file !== undefined && variable !== undefined) {
    refuse(
      problemAt(
        variable.at,
        'CONFLICT',
        'target.auth',
        'tokens come from a file or from the environment, not from both',
        'take one of them out',
      ),
    );
    return undefined;
  }
  if (file !== undefined) {
    const text = readSecretFile(file, readText, refuse);
    return text === undefined
      ? undefined
      : checked(
          file,
          text
            .split(/\r?\n/)
            .map((line) => line.trim())
            .filter((line) => line !== '' && !line.startsWith('#')),
          refuse,
        );
  }
  if (variable !== undefined) {
    const expanded = expandVariables(`\${${variable.name}}`, env);
    if (expanded.ok)
      return checked(
        variable,
        expanded.text.split(/[\s,]+/).filter((token) => token !== ''),
        refuse,
      );
    const { code, message, hint } = expanded.problem;
    refuse(problemAt(variable.at, code, variable.path, message, hint));
    return undefined;
  }
  const written = descend(node, ['target', 'auth']);
  if (written !== undefined && !fromCommandLine)
    refuse(
      problemAt(
        written.at,
        'MISSING_KEY',
        'target.auth',
        '`auth` says nothing of where the tokens are',
        'auth: { tokenFile: tokens.txt } or { tokenEnv: TOKENS }',
      ),
    );
  return undefined;
}

function checked(
  from: SecretReference,
  tokens: readonly string[],
  refuse: ReportProblem,
): readonly string[] | undefined {
  const wrong = tokens.findIndex((token) => !bearer.test(token));
  // Its number, never the token itself.
  if (wrong >= 0)
    refuse(
      problemAt(
        from.at,
        'INVALID_VALUE',
        from.path,
        `token ${wrong + 1} of ${from.name} has characters that a bearer token cannot have`,
        'one token a line, without `Bearer`',
      ),
    );
  if (tokens.length === 0) refuse(problemAt(from.at, 'INVALID_VALUE', from.path, `${from.name} holds no token`));
  return wrong >= 0 || tokens.length === 0 ? undefined : tokens;
}
