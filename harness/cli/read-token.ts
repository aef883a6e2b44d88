import { readFileSync } from 'node:fs';
import { messageOf } from '../support/error-message.js';
import { CliError } from './cli-error.js';

const MIN_LENGTH = 16;

/**
 * @param option that names the file
 * @throws CliError USAGE when the file cannot be read, or what it holds is no token
 */
export function readToken(option: string, path: string): string {
  const token = read(option, path).trim();
  if (token.length >= MIN_LENGTH) return token;
  throw new CliError({
    code: 'USAGE',
    message: `${option}: the token in ${path} has ${token.length} characters; at least ${MIN_LENGTH} are needed`,
    hint: `create a token: openssl rand -hex 32 > ${path}`,
  });
}

function read(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError({
      code: 'USAGE',
      message: `${option}: ${messageOf(error)}`,
      hint: 'name a file that contains the token and nothing else',
    });
  }
}
