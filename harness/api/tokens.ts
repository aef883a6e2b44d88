import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../support/error-message.js';

/** One secret for each role. An operator may also do everything that a viewer may; a worker may only register. */
const tokens = z.strictObject({ viewer: z.string().min(16), operator: z.string().min(16), worker: z.string().min(16) });
export type Tokens = z.infer<typeof tokens>;
export type Role = keyof Tokens;

const FILE = 'api-tokens.json';

export function tokensFile(resultsFolder: string): string {
  return join(resultsFolder, FILE);
}

/**
 * The tokens of this results folder, generated at the first start. Only the owner of the file can read it.
 * @throws Error when the file exists but cannot be used
 */
export function loadTokens(resultsFolder: string): Tokens {
  const path = tokensFile(resultsFolder);
  try {
    const found = tokens.parse(JSON.parse(readFileSync(path, 'utf8')));
    chmodSync(path, 0o600);
    return found;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT')
      throw new Error(`${path} cannot be used; fix it, or remove it to get new tokens`, { cause: error });
  }
  const made: Tokens = { viewer: secret(), operator: secret(), worker: secret() };
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return made;
}

/** The role of a presented token. Takes the same time for every wrong token. */
export function roleOf(held: Tokens, presented: string): Role | undefined {
  let role: Role | undefined;
  for (const candidate of ['viewer', 'operator', 'worker'] as const)
    if (sameSecret(held[candidate], presented)) role = candidate;
  return role;
}

/** Compares digests, because timingSafeEqual needs equal lengths and the length is part of the secret. */
export function sameSecret(held: string, presented: string): boolean {
  return timingSafeEqual(digest(held), digest(presented));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}
