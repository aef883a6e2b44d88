import { z } from 'zod';
import type { Access } from './access.js';
import type { ApiEndpoint } from './api-endpoint.js';

const error = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string(), details: z.unknown().optional() }),
});

/** The API as an OpenAPI 3.1 document, from the same endpoints and schemas that serve it. */
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
          description:
            'A controller that listens on loopback alone needs no token, unless it was told to, except for the calls ' +
            'of a worker about itself, which need its own token.',
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
    description: audience[access],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(access === 'open' ? {} : { security: [{ token: [] }] }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body.schema) } } } }),
    responses: {
      [answer.status]: {
        description: 'Success.',
        content: {
          [answer.contentType ?? 'application/json']:
            answer.schema === undefined ? {} : { schema: jsonSchema(answer.schema) },
        },
      },
      default: {
        description: 'An error with a stable code.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

const audience: Record<Access, string> = {
  open: 'Needs no token.',
  viewer: 'Needs the token of the role viewer or operator.',
  operator: 'Needs the token of the role operator.',
  worker: 'Needs the token of the role worker, or the one that a run gives to the workers it starts.',
  'own-worker': 'Needs the token that this worker was given when it registered.',
};

/** The schema of the input, in which defaults are optional. OpenAPI 3.1 uses JSON Schema 2020-12, and so does zod. */
function jsonSchema(schema: z.ZodType): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}
