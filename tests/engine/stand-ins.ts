/**
 * `npm run stand-ins`: makes the stand-ins for the public images of the stack, for machines that cannot pull, and has
 * `swarmbench images` and `swarmbench up` use them.
 *
 *   npm run stand-ins -- [--load DOCKER_HOST ...] [--push REGISTRY]
 */
import { parseArgs } from 'node:util';
import { writeImagesFile } from '../../harness/cli/stack/state-folder.js';
import { connectEngine } from '../../harness/platform/swarm/engine/engine.js';
import { loadImages, pushImages } from '../../harness/platform/swarm/images/distribute.js';
import type { ImageProgress } from '../../harness/platform/swarm/images/engine-images.js';
import { makeStandIns, WITHOUT_GRAFANA } from '../support/swarm/stand-ins.js';

const { load = [], push } = parseArgs({
  options: { load: { type: 'string', multiple: true }, push: { type: 'string' } },
}).values;

const signal = AbortSignal.timeout(20 * 60_000);
const { docker } = connectEngine(process.env);
const { images, environment } = await makeStandIns(docker, signal, undefined, show);
const names = images.map(({ name }) => name);

const nodes = await Promise.all(
  load.map(async (address) => {
    const engine = connectEngine({ ...process.env, DOCKER_HOST: address });
    return { name: (await engine.info(signal)).Name, docker: engine.docker };
  }),
);
await loadImages(docker, nodes, names, show, signal);

// npm changes to the folder of package.json; swarmbench reads the file where the user is.
const folder = process.env.INIT_CWD ?? process.cwd();
const variables =
  push === undefined
    ? environment
    : await pushImages({ docker, environment, registry: push, env: process.env, onProgress: show }, signal);
const file = writeImagesFile(folder, { ...variables, ...WITHOUT_GRAFANA });
process.stdout.write(`${names.join('\n')}\n\`swarmbench images\` and \`swarmbench up\` use them, by ${file}\n`);

function show(progress: ImageProgress): void {
  if (progress.kind === 'making') process.stderr.write(`making ${progress.image}\n`);
  if (progress.kind === 'loading') process.stderr.write(`loading the images into ${progress.node}\n`);
  if (progress.kind === 'pushing') process.stderr.write(`pushing ${progress.image}\n`);
}
