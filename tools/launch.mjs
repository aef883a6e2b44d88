/**
 * What `./swarmbench` runs: makes installation and build fresh, then becomes the command line. It is imported, not
 * spawned, so exit codes, signals and the terminal need no passing through.
 */
import './require-node.mjs';

const { prepareOrExit, root } = await import('./prepare.mjs');
await prepareOrExit();

const { join } = await import('node:path');
const { pathToFileURL } = await import('node:url');
const main = join(root, 'dist', 'harness', 'cli', 'main.js');
process.argv[1] = main;
await import(pathToFileURL(main).href);
