import { z } from 'zod';
import { type CatalogueEntry, listProfiles, listScenarios } from '../../../scenarios/schema/list-scenarios.js';
import { type ApiEndpoint, jsonEndpoint } from '../api-endpoint.js';

const entry = z.object({ name: z.string(), description: z.string() });

/** What POST /runs knows by name. */
export function catalogueEndpoints(): readonly ApiEndpoint[] {
  return [
    jsonEndpoint({
      method: 'get',
      path: '/scenarios',
      access: 'viewer',
      summary: 'Shipped scenarios.',
      answer: { status: 200, schema: z.object({ scenarios: z.array(entry) }) },
      handle: () => ({ scenarios: listScenarios().map(shown) }),
    }),
    jsonEndpoint({
      method: 'get',
      path: '/profiles',
      access: 'viewer',
      summary: 'Shipped client profiles.',
      answer: { status: 200, schema: z.object({ profiles: z.array(entry) }) },
      handle: () => ({ profiles: listProfiles().map(shown) }),
    }),
  ];
}

function shown({ name, description }: CatalogueEntry): z.infer<typeof entry> {
  return { name, description };
}
