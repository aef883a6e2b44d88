import { z } from 'zod';
import type { Controller } from '../../controller/controller.js';
import type { ControllerMetrics } from '../../observe/controller-metrics.js';
import { type ApiEndpoint, jsonEndpoint } from '../api-endpoint.js';
import { ApiError } from '../errors.js';

const counts = z.object({ messagesSent: z.number(), messagesReceived: z.number(), messageSendErrors: z.number() });

/** Of the controller itself. `openapi` is asked for at each call because it describes all routes, these too. */
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
      summary: 'The process answers.',
      answer: { status: 200, schema: z.object({ status: z.literal('ok') }) },
      handle: () => ({ status: 'ok' as const }),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/readyz',
      access: 'open',
      summary: 'New runs are taken; 503 while it shuts down.',
      answer: { status: 200, schema: z.object({ status: z.literal('ready') }) },
      handle: () => {
        if (!controller.ready)
          throw new ApiError(
            503,
            'CONTROLLER_CLOSING',
            'the controller is starting or shutting down',
            'Ask again in a moment.',
          );
        return { status: 'ready' as const };
      },
    }),
    jsonEndpoint({
      method: 'get',
      path: '/counters-stats',
      access: 'viewer',
      summary: 'Messages of the run that is on, or of the last one.',
      answer: { status: 200, schema: counts },
      handle: () => controller.counts(),
    }),
    {
      method: 'get',
      path: '/metrics',
      access: 'viewer',
      summary: 'The controller itself, for Prometheus.',
      answer: { status: 200, contentType: metrics.contentType },
      handle: async ({ response }) => void response.set('content-type', metrics.contentType).send(await metrics.text()),
    },
    {
      method: 'get',
      path: '/openapi.json',
      access: 'viewer',
      summary: 'This API, described (OpenAPI 3.1).',
      answer: { status: 200, contentType: 'application/json' },
      handle: ({ response }) => void response.json(openapi()),
    },
  ];
}
