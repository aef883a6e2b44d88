/** The names, descriptions and files of scenarios and profiles. */
import { basename, join } from 'node:path';
import { child } from '../yaml/node.js';
import { parseYaml } from '../yaml/parse-yaml.js';
import { diskIo, type ScenarioIo, shippedFolder, shownPath } from './scenario-io.js';

export interface CatalogueEntry {
  readonly name: string;
  /** Empty where the file has none, or cannot be read. */
  readonly description: string;
  readonly file: string;
}

/** @param folder default: the scenarios that come with the program */
export function listScenarios(folder = shippedFolder(), io: ScenarioIo = diskIo): readonly CatalogueEntry[] {
  return entries(folder, io);
}

/** @param folder of the scenarios; profiles are in `profiles` below it */
export function listProfiles(folder = shippedFolder(), io: ScenarioIo = diskIo): readonly CatalogueEntry[] {
  return entries(join(folder, 'profiles'), io);
}

function entries(folder: string, io: ScenarioIo): readonly CatalogueEntry[] {
  return io
    .list(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => {
      const path = join(folder, file);
      const { node } = parseYaml(io.readText(path) ?? '', { file: path, line: 1, column: 1 });
      const description = child(node, 'description');
      const text = description?.kind === 'scalar' && typeof description.value === 'string' ? description.value : '';
      return { name: basename(file, '.yaml'), description: text, file: shownPath(path) };
    });
}
