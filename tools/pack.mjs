/** What `npm pack` needs first: the build, and the types of `import { run, compare } from 'mcp-swarm-bench'`. */
import './require-node.mjs';

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { prepareOrExit, root } from './prepare.mjs';
import { PrepareError, runQuietly } from './run-quietly.mjs';

const TYPES = join(root, 'dist', 'types');

/** Documents follow from their JSON Schemas, so that types need neither zod nor our other sources. */
const DOCUMENTS = [
  { module: 'harness/report/schema', schema: 'reportJsonSchema', type: 'Report' },
  { module: 'harness/compare/document', schema: 'comparisonJsonSchema', type: 'ComparisonDocument' },
];

await prepareOrExit();
try {
  await writeTypes();
} catch (error) {
  if (!(error instanceof PrepareError)) throw error;
  process.stderr.write(`error: ${error.message}\n${error.output}  hint: ${error.hint}\n`);
  process.exit(error.exitCode);
}

async function writeTypes() {
  rmSync(TYPES, { recursive: true, force: true });
  const own = ['library', 'library-types', 'cli-error'].map((name) => join('harness', 'cli', `${name}.ts`));
  // The whole is type-checked by the build. Without what these three import, only they are written.
  const flags = ['--declaration', '--emitDeclarationOnly', '--noResolve', '--noCheck', '--ignoreConfig'];
  const language = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  await runQuietly({
    command: process.execPath,
    args: [
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      ...flags,
      ...language,
      '--rootDir',
      root,
      '--outDir',
      TYPES,
      ...own,
    ],
    cwd: root,
    failure: 'the types could not be written',
    hint: 'fix the type errors above',
  });
  for (const { module, schema, type } of DOCUMENTS) {
    const made = await import(pathToFileURL(join(root, 'dist', `${module}.js`)).href);
    const file = join(TYPES, `${module}.d.ts`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `export type ${type} = ${typeOf(made[schema]())};\n`);
  }
}

/** The TypeScript type of a JSON Schema as zod writes it. */
function typeOf(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return alternatives.map((one) => `(${typeOf(one)})`).join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map((one) => `(${typeOf(one)})`).join(' & ');
  if (schema.prefixItems !== undefined) return `readonly [${schema.prefixItems.map(typeOf).join(', ')}]`;
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'number':
    case 'integer':
      return 'number';
    case 'array':
      return `readonly (${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return objectType(schema);
    default:
      return 'unknown';
  }
}

function objectType({ properties = {}, required = [], additionalProperties }) {
  const members = Object.entries(properties).map(
    ([name, schema]) => `readonly ${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)} `,
  );
  if (members.length > 0) return `{ ${members.join('; ')} }`;
  const values = typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown';
  return `{ readonly [key: string]: ${values} }`;
}
