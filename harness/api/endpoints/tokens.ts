import { z } from 'zod';
import { type ApiEndpoint, jsonEndpoint } from '../api-endpoint.js';
import { type AuditLog, auditEntry } from '../audit.js';
import { ApiError } from '../errors.js';
import { roles, type TokenBook, tokenView } from '../tokens.js';

const KIB = 1024;
const AUDIT_ENTRIES = 1000;

const newToken = z.strictObject({
  role: z.enum(roles),
  /** Who or what it is for. */
  name: z.string().max(100).default(''),
});

/** Who may call the API, and who has changed what. */
export function tokenEndpoints(book: TokenBook, audit: AuditLog): readonly ApiEndpoint[] {
  return [
    jsonEndpoint({
      method: 'get',
      path: '/tokens',
      access: 'operator',
      summary: 'Lists the tokens, without their secrets.',
      answer: { status: 200, schema: z.object({ tokens: z.array(tokenView) }) },
      handle: () => ({ tokens: [...book.list()] }),
    }),
    jsonEndpoint({
      method: 'post',
      path: '/tokens',
      access: 'operator',
      summary: 'Makes a token. Its secret is in this answer and nowhere else.',
      body: { schema: newToken, limitBytes: 16 * KIB },
      answer: { status: 201, schema: tokenView.extend({ secret: z.string() }) },
      handle: ({ body, response }) => {
        const { token, secret } = book.add(body.role, body.name);
        response.location(`/tokens/${token.id}`);
        return { ...token, secret };
      },
    }),
    jsonEndpoint({
      method: 'delete',
      path: '/tokens/:id',
      access: 'operator',
      summary: 'Revokes a token, from the next call on.',
      answer: { status: 200, schema: z.object({ revoked: z.string() }) },
      handle: (call) => {
        const id = call.param('id');
        if (book.revoke(id)) return { revoked: id };
        throw new ApiError(
          404,
          'TOKEN_NOT_FOUND',
          `there is no token ${JSON.stringify(id.slice(0, 80))} that can be revoked`,
          'GET /tokens lists them. One that the controller was started with goes when it is started with another.',
        );
      },
    }),
    jsonEndpoint({
      method: 'get',
      path: '/audit',
      access: 'operator',
      summary: `Lists the last ${AUDIT_ENTRIES} calls that changed something or were refused, newest first.`,
      answer: { status: 200, schema: z.object({ entries: z.array(auditEntry) }) },
      handle: () => ({ entries: [...audit.last(AUDIT_ENTRIES)] }),
    }),
  ];
}
