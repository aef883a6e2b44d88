/**
 * The program behind `./swarmbench`: installs and builds if needed, then runs the command line. That is imported, not
 * spawned, so that exit codes, signals and the terminal need not be passed on.
 */
import './require-node.mjs';

const { prepareOrExit, root } = await import('./prepare.mjs');
await prepareOrExit();

const { join } = await import('node:path');
const { pathToFileURL } = await import('node:url');
const main = join(root, 'dist', 'harness', 'cli', 'main.js');
process.argv[1] = main;
await import(pathToFileURL(main).href);
