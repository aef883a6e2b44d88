/** Writes the files of the repository that code generates: `npm run build && node tools/generate.mjs [BUILD]`. */
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const build = resolve(process.argv[2] ?? join(root, 'dist'));
const { gatewayFiles } = await load('swarm/gateway/render-gateway.js');
const { dashboardFiles } = await load('monitoring/grafana/dashboard-files.js');
const { referenceFiles } = await load('scenarios/schema/reference.js');

for (const [folder, files] of [
  ['swarm/gateway', gatewayFiles()],
  ['monitoring/grafana/dashboards', dashboardFiles()],
  ['docs', referenceFiles()],
]) {
  for (const [name, text] of files) writeFileSync(join(root, folder, name), text);
}

function load(path) {
  return import(pathToFileURL(join(build, path)).href);
}
