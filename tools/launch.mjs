#!/usr/bin/env node
/**
 * The program behind `./swarmbench`, and the one that npm links: installs and builds a checkout if needed, then runs
 * the command line. That is imported, not spawned, so that exit codes, signals and the terminal need not be passed on.
 */
import './require-node.mjs';

const { existsSync } = await import('node:fs');
const { dirname, join } = await import('node:path');
const { fileURLToPath, pathToFileURL } = await import('node:url');
const root = dirname(dirname(fileURLToPath(import.meta.url)));

// A package from npm is built already, and has no sources.
if (existsSync(join(root, 'tsconfig.json'))) await (await import('./prepare.mjs')).prepareOrExit();

const main = join(root, 'dist', 'harness', 'cli', 'main.js');
process.argv[1] = main;
await import(pathToFileURL(main).href);
