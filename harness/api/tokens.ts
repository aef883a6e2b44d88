import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../support/error-message.js';
import { digestOf, newSecret, sameSecret } from '../support/secret.js';

/** An operator may also do everything that a viewer may; a worker may only register. */
export const roles = ['viewer', 'operator', 'worker'] as const;
export type Role = (typeof roles)[number];

/** A token without its secret. */
export const tokenView = z.object({
  id: z.string(),
  role: z.enum(roles),
  /** What its maker wrote about it. */
  name: z.string(),
  /** ISO 8601; absent for a token that the controller was started with. */
  createdAt: z.string().optional(),
});
export type TokenView = z.infer<typeof tokenView>;

const stored = z.strictObject({
  id: z.string(),
  role: z.enum(roles),
  name: z.string(),
  createdAt: z.string(),
  /** Of the secret, in hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
type Stored = z.infer<typeof stored>;
const tokenFile = z.strictObject({ version: z.literal(2), tokens: z.array(stored) });

/** The first version of the file held the secrets themselves. */
const secretsInPlain = z.strictObject({ viewer: z.string(), operator: z.string(), worker: z.string() });

const FILE = 'api-tokens.json';

export function tokensFile(resultsFolder: string): string {
  return join(resultsFolder, FILE);
}

/**
 * The tokens of a results folder. The file holds digests, so nobody can take a token from it. A change of the file, by
 * `swarmbench token` for example, holds from the next call on.
 */
export class TokenBook {
  private readonly path: string;
  private tokens: readonly Stored[] = [];
  /** Time and size of the file that `tokens` were read from; empty when there was none. */
  private seen = '';

  /** @param given secrets that the controller was started with; they can neither be listed in the file nor revoked */
  constructor(
    resultsFolder: string,
    private readonly given: Readonly<Partial<Record<Role, string>>> = {},
  ) {
    this.path = tokensFile(resultsFolder);
    mkdirSync(resultsFolder, { recursive: true });
  }

  /** @throws Error when the file exists but cannot be used */
  list(): readonly TokenView[] {
    this.refresh();
    const started = Object.keys(this.given) as Role[];
    return [
      ...started.map((role) => ({ id: `started-${role}`, role, name: 'given when the controller was started' })),
      ...this.tokens.map(({ sha256: _, ...view }) => view),
    ];
  }

  /** The token that this is the secret of. Takes the same time for every wrong one. */
  find(secret: string): TokenView | undefined {
    this.refresh();
    let found: TokenView | undefined;
    for (const [role, held] of Object.entries(this.given) as [Role, string][])
      if (sameSecret(held, secret)) found = { id: `started-${role}`, role, name: '' };
    const digest = digestOf(secret).toString('hex');
    for (const { sha256, ...view } of this.tokens) if (sameSecret(sha256, digest)) found = view;
    return found;
  }

  /** @returns the secret, which is not kept and cannot be had again */
  add(role: Role, name: string): { readonly token: TokenView; readonly secret: string } {
    this.refresh();
    const secret = newSecret();
    const token = { id: `t${newSecret().slice(0, 8)}`, role, name, createdAt: new Date().toISOString() };
    this.write([...this.tokens, { ...token, sha256: digestOf(secret).toString('hex') }]);
    return { token, secret };
  }

  /** @returns false when there is no such token in the file */
  revoke(id: string): boolean {
    this.refresh();
    const kept = this.tokens.filter((token) => token.id !== id);
    if (kept.length === this.tokens.length) return false;
    this.write(kept);
    return true;
  }

  /** Whether anybody could ever call: a token was given, or the file has been written. */
  get isEmpty(): boolean {
    this.refresh();
    return this.seen === '' && Object.keys(this.given).length === 0;
  }

  private refresh(): void {
    const seen = this.stamp();
    if (seen === this.seen) return;
    this.tokens = seen === '' ? [] : this.read();
    this.seen = this.stamp();
  }

  private stamp(): string {
    const about = statSync(this.path, { throwIfNoEntry: false });
    return about === undefined ? '' : `${about.ino} ${about.mtimeMs} ${about.size}`;
  }

  private read(): readonly Stored[] {
    try {
      const content: unknown = JSON.parse(readFileSync(this.path, 'utf8'));
      const plain = secretsInPlain.safeParse(content);
      if (plain.success) return this.hash(plain.data);
      chmodSync(this.path, 0o600);
      return tokenFile.parse(content).tokens;
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') return [];
      throw new Error(`${this.path} cannot be used; fix it, or remove it and make new tokens`, { cause });
    }
  }

  /** Those who hold the secrets of an earlier version go on using them. */
  private hash(plain: z.infer<typeof secretsInPlain>): readonly Stored[] {
    const createdAt = new Date().toISOString();
    const tokens = roles.map((role) => ({
      id: `t${newSecret().slice(0, 8)}`,
      role,
      name: 'of an earlier version',
      createdAt,
      sha256: digestOf(plain[role]).toString('hex'),
    }));
    this.write(tokens);
    return tokens;
  }

  /** Whole or not at all. */
  private write(tokens: readonly Stored[]): void {
    const next = `${this.path}.next`;
    rmSync(next, { force: true });
    writeFileSync(next, `${JSON.stringify({ version: 2, tokens }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(next, this.path);
    this.tokens = tokens;
    this.seen = this.stamp();
  }
}
