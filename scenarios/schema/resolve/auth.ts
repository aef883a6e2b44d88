/** Bearer tokens for the target, from a file or the environment; never from a scenario or a command line. */
import { descend, type MapNode } from '../../yaml/node.js';
import { problemAt } from '../../yaml/problem.js';
import { type Environment, expandVariables } from '../grammar/variables.js';
import type { TargetSource } from '../keys/scenario-schema.js';
import { positionOfOption, type ReportProblem } from '../source-part.js';
import {
  readSecretFile,
  refuseFileInRequest,
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

/** @returns undefined when the target has no tokens, or when something is wrong with them, which is reported */
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
        descend(node, ['target', 'auth'])?.at ?? positionOfOption('--auth-token-file'),
        'CONFLICT',
        'target.auth',
        'the tokens and an `authorization` header exclude each other',
        'remove one of them',
      ),
    );
  }
  return tokens;
}

function fromRequest(
  source: TargetSource['auth'],
  node: MapNode,
  sent: readonly string[] | undefined,
  refuse: ReportProblem,
): readonly string[] | undefined {
  if (sent !== undefined) return sent;
  for (const key of ['tokenFile', 'tokenEnv'] as const)
    if (source?.[key] !== undefined) refuseFileInRequest(node, ['target', 'auth', key], refuse);
  return undefined;
}

function fromFiles(
  source: TargetSource['auth'],
  node: MapNode,
  { readText, options }: Extract<SecretSource, { from: 'files' }>,
  { env, refuse }: AuthContext,
): readonly string[] | undefined {
  // One option takes the place of both keys.
  const fromCommandLine = options.tokenFile !== undefined || options.tokenEnv !== undefined;
  const written = fromCommandLine ? undefined : source;
  const path = ['target', 'auth'];
  const file = secretReference(
    node,
    [...path, 'tokenFile'],
    written?.tokenFile,
    '--auth-token-file',
    options.tokenFile,
  );
  const variable = secretReference(
    node,
    [...path, 'tokenEnv'],
    written?.tokenEnv,
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
        'remove one of them',
      ),
    );
    return undefined;
  }
  if (file !== undefined) return fromFile(file, readText, refuse);
  if (variable !== undefined) return fromVariable(variable, env, refuse);
  const auth = fromCommandLine ? undefined : descend(node, path);
  if (auth !== undefined)
    refuse(
      problemAt(
        auth.at,
        'MISSING_KEY',
        'target.auth',
        '`auth` does not say where the tokens are',
        'auth: { tokenFile: tokens.txt } or { tokenEnv: TOKENS }',
      ),
    );
  return undefined;
}

function fromFile(
  file: SecretReference,
  readText: (file: string) => string | undefined,
  refuse: ReportProblem,
): readonly string[] | undefined {
  const text = readSecretFile(file, readText, refuse);
  if (text === undefined) return undefined;
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return checked(
    file,
    lines.filter((line) => line !== '' && !line.startsWith('#')),
    refuse,
  );
}

function fromVariable(
  variable: SecretReference,
  env: Environment,
  refuse: ReportProblem,
): readonly string[] | undefined {
  const expanded = expandVariables(`\${${variable.name}}`, { env });
  if (expanded.ok) {
    const tokens = expanded.text.split(/[\s,]+/).filter((token) => token !== '');
    return checked(variable, tokens, refuse);
  }
  for (const { code, message, hint } of expanded.problems)
    refuse(problemAt(variable.at, code, variable.path, message, hint));
  return undefined;
}

function checked(
  from: SecretReference,
  tokens: readonly string[],
  refuse: ReportProblem,
): readonly string[] | undefined {
  if (tokens.length === 0) {
    refuse(problemAt(from.at, 'INVALID_VALUE', from.path, `${from.name} holds no token`));
    return undefined;
  }
  const wrong = tokens.findIndex((token) => !bearer.test(token));
  if (wrong === -1) return tokens;
  // The number of the token, never the token itself.
  refuse(
    problemAt(
      from.at,
      'INVALID_VALUE',
      from.path,
      `token ${wrong + 1} of ${from.name} has characters that a bearer token cannot have`,
      'one token a line, without `Bearer`',
    ),
  );
  return undefined;
}
