/**
 * Prints figures about how easy it is to find one's way in the tree: `node tools/house.mjs [FOLDER]` (a checkout;
 * default: this one). They are a guide, not a goal. Product files are the tracked `.ts`, `.mjs` and `.js` files outside
 * `tests/` that are no tests.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAX_COLUMNS = 120;
const MAX_FILES_IN_FOLDER = 20;
const SMALL_LINES = 40;
const CODE = /\.(ts|mjs|js)$/;

// The reader may stop early: `node tools/house.mjs | head`.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});

const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

const code = tracked.filter((path) => CODE.test(path)).map(read);
const product = code.filter(({ path }) => !path.startsWith('tests/') && !path.endsWith('.test.ts'));

const folders = new Map();
for (const { path } of product) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);
const largeFolders = [...folders]
  .filter(([, count]) => count > MAX_FILES_IN_FOLDER)
  .sort(([, one], [, other]) => other - one);

const circles = findCircles(code);
const recipes = readRecipes();

print('product files', product.length);
print('product lines', sum(product));
print(`product files under ${SMALL_LINES} lines`, product.filter(({ lines }) => lines.length < SMALL_LINES).length);
print(
  `folders over ${MAX_FILES_IN_FOLDER} product files`,
  largeFolders.map(([folder, count]) => `${folder} ${count}`).join(', ') || 0,
);
print(`product lines over ${MAX_COLUMNS} columns`, tooLong(product));
print(`lines over ${MAX_COLUMNS} columns, tests included`, tooLong(code));
print('circles of imports, types included', circles.length);
for (const circle of circles) print('  ', circle.join(' '));
print('test files', code.filter(({ path }) => path.endsWith('.test.ts')).length);
print('README words', countWords('README.md'));
for (const [recipe, places] of recipes) print(`places for ${recipe}`, places);

function read(path) {
  const text = readFileSync(join(root, path), 'utf8');
  return { path, text, lines: text.replace(/\n$/, '').split('\n') };
}

function sum(files) {
  return files.reduce((total, { lines }) => total + lines.length, 0);
}

function tooLong(files) {
  return files.flatMap(({ lines }) => lines).filter((line) => line.length > MAX_COLUMNS).length;
}

function countWords(path) {
  return readFileSync(join(root, path), 'utf8').split(/\s+/).filter(Boolean).length;
}

function print(name, value) {
  process.stdout.write(`${name}: ${value}\n`);
}

/** How many places each recipe of CONTRIBUTING.md has: what must be changed to add one more of its kind. */
function readRecipes() {
  const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const sections = text.split(/^### /m).slice(1);
  return sections.map((section) => {
    const [title] = section.split('\n', 1);
    const places = section.match(/^\d+\. /gm)?.length ?? 0;
    return [title.toLowerCase(), places];
  });
}

/** Strongly connected files (Tarjan 1972), by static imports and exports. */
function findCircles(files) {
  const known = new Set(files.map(({ path }) => path));
  const edges = new Map(files.map((file) => [file.path, importsOf(file, known)]));
  const order = new Map();
  const low = new Map();
  const stack = [];
  const found = [];
  const visit = (node) => {
    order.set(node, order.size);
    low.set(node, order.get(node));
    stack.push(node);
    for (const next of edges.get(node)) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== order.get(node)) return;
    const component = stack.splice(stack.indexOf(node));
    if (component.length > 1) found.push(component);
  };
  for (const { path } of files) if (!order.has(path)) visit(path);
  return found;
}

function importsOf({ path, text }, known) {
  const specifiers = text.matchAll(/^(?:import|export)\b[^;'"]*?['"](\.[^'"]+)['"]/gm);
  return [...specifiers]
    .map(([, specifier]) => posix.normalize(posix.join(posix.dirname(path), specifier)).replace(/\.js$/, '.ts'))
    .filter((target) => known.has(target));
}
