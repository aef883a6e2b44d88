import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packageRoot } from '../support/package-root.js';
import { breaches, type SourceFile } from './walls.js';

const roomFolders = ['scenarios', 'client-sim', 'harness', 'swarm', 'monitoring', 'tests'];

/** Full of broken walls, as text. */
const thisFile = 'architecture.test.ts';

function sources(): readonly SourceFile[] {
  // A room that holds nothing yet is not in a clone.
  return roomFolders
    .filter((folder) => existsSync(join(packageRoot, folder)))
    .flatMap((folder) =>
      readdirSync(join(packageRoot, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== thisFile)
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => ({ path: relative(packageRoot, file).split(sep).join('/'), text: readFileSync(file, 'utf8') })),
    );
}

test('the walls of the architecture hold in every file', () => {
  const files = sources();
  expect(files.length).toBeGreaterThan(100);
  expect(breaches(files)).toEqual([]);
});

describe('the walls can be broken:', () => {
  test.each<[string, string]>([
    ['scenarios/schema/parse.ts', "import { x } from '../../client-sim/load/schedule.js';"],
    ['client-sim/load/schedule.ts', "import type { Run } from '../../harness/controller/run.js';"],
    ['harness/controller/run.ts', "import { Recorder } from '../../client-sim/measure/recorder.js';"],
    ['harness/controller/run.ts', "import { local } from '../platform/local/local.js';"],
    ['harness/report/html.ts', "export * from '../controller/run.js';"],
    ['harness/analysis/fold-run.ts', "const late = await import('../report/model.js');"],
    ['swarm/reference-server/main.ts', "import '../../client-sim/protocol/messages.js';"],
    ['client-sim/measure/batch.ts', "import {\n  a,\n} from '../../harness/analysis/contract.js';"],
    ['harness/report/html.ts', 'const colour = process.env.NO_COLOR;'],
    ['client-sim/engine/thread.ts', 'process.exit(1);'],
    ['elsewhere/thing.ts', ''],
  ])('%s with %j', (path, text) => {
    expect(breaches([{ path, text }])).toHaveLength(1);
  });

  test.each<[string, string]>([
    ['harness/cli/commands/run.ts', "import { local } from '../../platform/local/local.js';"],
    ['harness/controller/run.ts', "import type { Platform } from '../platform/platform.js';"],
    ['client-sim/load/stage.ts', "import type { Plan } from '../../scenarios/schema/plan.js';"],
    ['client-sim/main.ts', 'process.exit(await main(process.argv));'],
    ['harness/report/html.ts', "// process.exit is not ours, nor is import x from '../platform/local/local.js'"],
  ])('but not by %s with %j', (path, text) => {
    expect(breaches([{ path, text }])).toEqual([]);
  });
});
