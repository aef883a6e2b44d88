import { readFileSync } from 'node:fs';
import { messageOf } from '../support/error-message.js';
import { CliError } from './cli-error.js';

const LEAST_LENGTH = 16;

/** @param option by which the file was named @throws CliError when it cannot be read or holds no token */
export function readToken(option: string, path: string): string {
  const token = read(option, path).trim();
  if (token.length >= LEAST_LENGTH) return token;
  throw new CliError({
    code: 'USAGE',
    message: `${option}: the token in ${path} has ${token.length} characters, which is less than ${LEAST_LENGTH}`,
    hint: `make one: openssl rand -hex 32 > ${path}`,
  });
}

function read(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError({
      code: 'USAGE',
      message: `${option}: ${messageOf(error)}`,
      hint: 'a file that holds the token and nothing else',
    });
  }
}
