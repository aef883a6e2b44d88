/**
 * The lanes of `npm test`. A test file belongs to the lane of its folder; `tests/tree/lanes.test.ts` holds every test
 * file and every lane to that.
 */

/**
 * @typedef {object} Lane
 * @property {string} name
 * @property {number} atOnce how many of its test files run at the same time
 * @property {readonly string[]} folders from the package root; '' is every folder outside `tests/`
 */

/** @type {readonly Lane[]} */
export const LANES = [
  // Parts of the programs, beside their code; and what holds of the whole tree.
  { name: 'unit', atOnce: 2, folders: ['', 'tests/tree/'] },
  // Whole programs: workers, controllers, servers.
  { name: 'programs', atOnce: 2, folders: ['tests/programs/', 'tests/servers/', 'tests/conformance/'] },
  // Whole runs on this machine, against our servers and other people's.
  { name: 'runs', atOnce: 2, folders: ['tests/runs/', 'tests/third-party/'] },
  // What asks a Docker engine for images, small stacks and answers.
  { name: 'engine', atOnce: 1, folders: ['tests/engine/'] },
  // Several engines as one swarm.
  { name: 'nodes', atOnce: 1, folders: ['tests/nodes/'] },
  // Our whole stack on a swarm, under load.
  { name: 'stacks', atOnce: 1, folders: ['tests/stacks/'] },
  // What compares milliseconds, rates, exit codes and verdicts, or looks at everything that an engine runs.
  { name: 'alone', atOnce: 1, folders: ['tests/alone/'] },
  // What freezes and starves the generator, and compares what it reports with what happened. Others would suffer too.
  { name: 'truth', atOnce: 1, folders: ['tests/truth/'] },
];

/**
 * The steps run one after the other. Each group of a step has a jest of its own, and all of them run at the same time;
 * lanes of a group that run as many files at once share the workers. Three files at once keep two cores busy, since
 * each starts processes of its own; with more, nothing is over sooner, and tests wait too long for a processor.
 * From `nodes` on, what a run says depends on the processor that it gets, so nothing runs beside it.
 */
export const STEPS = [[['unit', 'runs', 'programs'], ['engine']], [['nodes', 'stacks']], [['alone']], [['truth']]];

/**
 * What the path of a lane's test files matches.
 * @param {Lane} lane
 * @param {string} root the folder with the compiled tests, with a slash at its end
 */
export function patternOf({ folders }, root) {
  const beginnings = folders.map((folder) => (folder === '' ? '(?!tests/)' : folder));
  return `^${root.replace(/[^\w/]/g, '\\$&')}(?:${beginnings.join('|')}).*\\.test\\.js$`;
}
