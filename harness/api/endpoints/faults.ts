import { z } from 'zod';
import type { Controller } from '../../controller/controller.js';
import { type ApiEndpoint, jsonEndpoint } from '../api-endpoint.js';

const haltRequest = z.strictObject({
  /** For the log of the run. */
  by: z.string().min(1).max(200).default('the API'),
});

const haltedSchema = z.object({
  /** The active runs: their faults are being undone, and no more begin. Their load goes on. */
  runs: z.array(z.string()),
});

export function faultEndpoints(controller: Controller): readonly ApiEndpoint[] {
  return [
    jsonEndpoint({
      method: 'post',
      path: '/faults/halt',
      access: 'operator',
      summary: 'Undoes all faults of all active runs at once, and begins no more. Calling it again changes nothing.',
      body: { schema: haltRequest, limitBytes: 16 * 1024 },
      answer: { status: 202, schema: haltedSchema },
      handle: ({ body }) => {
        const runs = controller.runs().filter(({ state }) => state.kind !== 'finished');
        for (const run of runs) run.haltFaults(body.by);
        return { runs: runs.map(({ id }) => id) };
      },
    }),
  ];
}
