import { z } from 'zod';
import type { Controller } from '../../controller/controller.js';
import type { ControllerMetrics } from '../../observe/controller-metrics.js';
import { type ApiEndpoint, jsonEndpoint } from '../api-endpoint.js';
import { ApiError } from '../errors.js';

const countsSchema = z.object({
  messagesSent: z.number(),
  messagesReceived: z.number(),
  messageSendErrors: z.number(),
});

/** Endpoints about the controller itself. `openapi` is a function because the document describes them, too. */
export function systemEndpoints(
  controller: Controller,
  metrics: ControllerMetrics,
  openapi: () => object,
): readonly ApiEndpoint[] {
  return [
    jsonEndpoint({
      method: 'get',
      path: '/healthz',
      access: 'open',
      summary: 'Reports that the process is running.',
      answer: { status: 200, schema: z.object({ status: z.literal('ok') }) },
      handle: () => ({ status: 'ok' as const }),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/readyz',
      access: 'open',
      summary: 'Reports whether new runs are accepted: 503 while the controller starts or shuts down.',
      answer: { status: 200, schema: z.object({ status: z.literal('ready') }) },
      handle: () => {
        if (!controller.ready)
          throw new ApiError(
            503,
            'CONTROLLER_CLOSING',
            'the controller is starting or shutting down',
            'Try again in a moment.',
          );
        return { status: 'ready' as const };
      },
    }),
    jsonEndpoint({
      method: 'get',
      path: '/counters-stats',
      access: 'viewer',
      summary: 'Counts the messages of the active run, or of the last one.',
      answer: { status: 200, schema: countsSchema },
      handle: () => controller.counts(),
    }),
    {
      method: 'get',
      path: '/metrics',
      access: 'viewer',
      summary: 'Metrics of the controller, for Prometheus.',
      answer: { status: 200, contentType: metrics.contentType },
      handle: async ({ response }) => void response.set('content-type', metrics.contentType).send(await metrics.text()),
    },
    {
      method: 'get',
      path: '/openapi.json',
      access: 'viewer',
      summary: 'Describes this API (OpenAPI 3.1).',
      answer: { status: 200, contentType: 'application/json' },
      handle: ({ response }) => void response.json(openapi()),
    },
  ];
}
