/**
 * Named workers: the controller dials a worker that listens. It attaches itself with a call, then opens a few
 * connections that are turned round: the worker calls the controller over them, by the same protocol as a worker that
 * found its controller by itself. So only the worker must be reachable.
 *
 * `POST /attachments` · `GET /attachments/ID/connection` with `Upgrade` · `DELETE /attachments/ID`
 */
import { z } from 'zod';
import { PROTOCOL } from './messages.js';

/** What the connections of an attachment are upgraded to. */
export const UPGRADE = 'swarmbench-worker';

/** Connections of one attachment: one holds the stream of orders, the others carry calls. */
export const CONNECTIONS = 4;

const version = z.literal(PROTOCOL);

export const attachmentRequest = z.strictObject({
  protocol: version,
  /** The run. */
  runId: z.string().min(1),
  /** What the worker calls its controller. No address: the connections are made already. */
  controllerUrl: z.url({ protocol: /^https?$/ }),
  /** What the worker registers with. */
  workerToken: z.string().min(1),
  /** The place of the worker among those that are named, from 1. */
  slot: z.number().int().positive(),
});
export type AttachmentRequest = z.infer<typeof attachmentRequest>;

export const attachmentAnswer = z.strictObject({
  protocol: version,
  attachmentId: z.string(),
  host: z.string(),
  version: z.string(),
});
export type AttachmentAnswer = z.infer<typeof attachmentAnswer>;

export const attachmentRefusal = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});
