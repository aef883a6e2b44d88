import { z } from 'zod';
import { type CatalogueEntry, listProfiles, listScenarios } from '../../../scenarios/schema/index.js';
import { jsonRoute, type Route } from '../route.js';

const entry = z.object({ name: z.string(), description: z.string() });

/** What POST /runs knows by name. */
export function catalogueRoutes(): readonly Route[] {
  return [
    jsonRoute({
      method: 'get',
      path: '/scenarios',
      access: 'viewer',
      summary: 'Shipped scenarios.',
      answer: { status: 200, schema: z.object({ scenarios: z.array(entry) }) },
      handle: () => ({ scenarios: listScenarios().map(shown) }),
    }),
    jsonRoute({
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
