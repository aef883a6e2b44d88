import { z } from 'zod';
import type { Access, ApiEndpoint } from './api-endpoint.js';

const error = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string(), details: z.unknown().optional() }),
});

/** The API as OpenAPI 3.1, from the same table of routes and the same schemas that serve it. */
export function openapiDocument(endpoints: readonly ApiEndpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method]: operation(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'mcp-swarm-bench controller', version },
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Not needed where the API is bound to loopback, but for a worker about itself.',
        },
      },
      schemas: { Error: jsonSchema(error) },
    },
  };
}

function operation({ path, access, summary, query = {}, body, answer }: ApiEndpoint): object {
  const parameters = [
    ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...Object.entries(query).map(([name, { values, description }]) => ({
      name,
      in: 'query',
      required: false,
      description,
      schema: { type: 'string', enum: values },
    })),
  ];
  return {
    summary,
    description: who[access],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(access === 'open' ? {} : { security: [{ token: [] }] }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body.schema) } } } }),
    responses: {
      [answer.status]: {
        description: 'Done.',
        content: {
          [answer.contentType ?? 'application/json']:
            answer.schema === undefined ? {} : { schema: jsonSchema(answer.schema) },
        },
      },
      default: {
        description: 'What went wrong, with a stable code.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

const who: Record<Access, string> = {
  open: 'For anyone.',
  viewer: 'For the roles viewer and operator.',
  operator: 'For the role operator.',
  worker: 'For the role worker.',
  'own-worker': 'For this very worker, with the token it got when it registered.',
};

/** As it is sent, so that defaults are optional. OpenAPI 3.1 is JSON Schema 2020-12, which is what zod gives. */
function jsonSchema(schema: z.ZodType): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}
