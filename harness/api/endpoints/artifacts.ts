import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Controller } from '../../controller/controller.js';
import { privateFiles } from '../../log/run-folder.js';
import type { RunHistory } from '../../log/run-history.js';
import { type ApiEndpoint, jsonEndpoint } from '../api-endpoint.js';
import { ApiError } from '../errors.js';
import { summaryOf } from './runs.js';

const artifact = z.object({ name: z.string(), bytes: z.number(), modifiedAt: z.string() });
type Artifact = z.infer<typeof artifact>;

/** The files of a run: its log and, when it is over, its reports. Only plain files directly in the run folder. */
export function artifactEndpoints(controller: Controller, history: RunHistory): readonly ApiEndpoint[] {
  const folderOf = async (id: string): Promise<string> => {
    await summaryOf(controller, history, id);
    return join(controller.resultsFolder, id);
  };
  return [
    jsonEndpoint({
      method: 'get',
      path: '/runs/:id/artifacts',
      access: 'viewer',
      summary: 'Lists the files that the run has written, with their sizes.',
      answer: { status: 200, schema: z.object({ artifacts: z.array(artifact) }) },
      handle: async (call) => ({ artifacts: await list(await folderOf(call.param('id'))) }),
    }),
    {
      method: 'get',
      path: '/runs/:id/artifacts/:name',
      access: 'viewer',
      summary: 'Returns one of the files of the run.',
      answer: { status: 200, contentType: 'application/octet-stream' },
      handle: async (call) => {
        const folder = await folderOf(call.param('id'));
        const name = call.param('name');
        // Only names that the list shows, none of which contains a path.
        if (!(await list(folder)).some((found) => found.name === name)) {
          throw new ApiError(
            404,
            'ARTIFACT_NOT_FOUND',
            `run ${call.param('id')} has no artifact ${JSON.stringify(name.slice(0, 80))}`,
            'GET /runs/:id/artifacts lists the artifacts.',
          );
        }
        // Reports quote answers of targets: they may be displayed, but must not act as pages of this origin.
        call.response.set({
          'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
          'x-content-type-options': 'nosniff',
        });
        call.response.sendFile(name, { root: folder, dotfiles: 'deny' });
      },
    },
  ];
}

async function list(folder: string): Promise<Artifact[]> {
  const found: Artifact[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    if (name.startsWith('.') || privateFiles.some((hidden) => name.startsWith(hidden))) continue;
    const about = await lstat(join(folder, name));
    if (about.isFile()) found.push({ name, bytes: about.size, modifiedAt: about.mtime.toISOString() });
  }
  return found;
}
