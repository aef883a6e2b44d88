/** Secrets that programs show each other, and the comparison that tells nothing about them. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 bits, as 43 characters that need no quoting anywhere. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256. Enough for secrets of `newSecret`, which cannot be guessed; a password would need a slow hash. */
export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Takes the same time for every wrong secret. Compares digests, because the length is part of the secret. */
export function sameSecret(held: string, presented: string): boolean {
  return timingSafeEqual(digestOf(held), digestOf(presented));
}
