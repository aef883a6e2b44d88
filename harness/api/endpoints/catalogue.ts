import { z } from 'zod';
import { type CatalogueEntry, listProfiles, listScenarios } from '../../../scenarios/schema/list-scenarios.js';
import { type ApiEndpoint, jsonEndpoint } from '../api-endpoint.js';

const entrySchema = z.object({ name: z.string(), description: z.string() });

/** The scenarios and profiles that POST /runs knows by name. */
export function catalogueEndpoints(): readonly ApiEndpoint[] {
  return [
    jsonEndpoint({
      method: 'get',
      path: '/scenarios',
      access: 'viewer',
      summary: 'Lists the shipped scenarios.',
      answer: { status: 200, schema: z.object({ scenarios: z.array(entrySchema) }) },
      handle: () => ({ scenarios: listScenarios().map(entryOf) }),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/profiles',
      access: 'viewer',
      summary: 'Lists the shipped client profiles.',
      answer: { status: 200, schema: z.object({ profiles: z.array(entrySchema) }) },
      handle: () => ({ profiles: listProfiles().map(entryOf) }),
    }),
  ];
}

function entryOf({ name, description }: CatalogueEntry): z.infer<typeof entrySchema> {
  return { name, description };
}
