import { type CliResult, docker as cli } from './docker-cli.js';

/**
 * Runs a command in a container of its own that has the files of a folder at /given. Copied, so the engine may be
 * elsewhere.
 */
export async function inContainer(image: string, command: string, given?: string): Promise<CliResult> {
  const created = await cli([
    'create',
    '--network',
    'none',
    '--user',
    'root',
    '--entrypoint',
    'sh',
    image,
    '-c',
    command,
  ]);
  if (created.code !== 0) return created;
  const id = created.stdout.trim();
  try {
    if (given !== undefined) await cli(['cp', `${given}/.`, `${id}:/given`]);
    return await cli(['start', '--attach', id]);
  } finally {
    await cli(['rm', '--force', '--volumes', id]);
  }
}
