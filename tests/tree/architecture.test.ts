import { describe, expect, test } from '@jest/globals';
import { sourceFiles } from './source-files.js';
import { breaches } from './walls.js';

/** Full of broken walls, as text. */
const thisFile = 'tests/tree/architecture.test.ts';

test('the walls of the architecture hold in every file', () => {
  const files = sourceFiles(['.ts']).filter(({ path }) => path !== thisFile);
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
