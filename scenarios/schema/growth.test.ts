/** Whatever somebody writes, to read it takes time in proportion to its length. */
import { describe, expect, test } from '@jest/globals';
import { growthOf, LINEAR } from '../../tests/support/growth.js';
import { formatProblems } from '../yaml/problem.js';
import { chooseServer } from './client-config/config-file.js';
import { loadPlan } from './load-plan.js';
import { diskIo } from './scenario-io.js';

const head = 'name: growth\n';
const target = 'target: { server: { url: "http://127.0.0.1:1/mcp" } }\n';
const workload = 'workload: { low-load: {} }\n';
const stages = 'stages: [{ name: steady, duration: 10s }]\n';
const operations = `${head}${target}${stages}workload:\n  low-load:\n    operations:\n`;
const argument = `${head}${target}${stages}workload:\n  low-load:\n    operations: [{ tool: t, arguments: { a: `;
const url = '"http://127.0.0.1:1/mcp"';
const check = `${head}${target}${workload}${stages}thresholds: `;

function many(size: number, item: (index: number) => string, separator = '\n'): string {
  return Array.from({ length: size }, (_, index) => item(index)).join(separator);
}

function list(key: string, size: number, item: (index: number) => string): string {
  return `${key}:\n${many(size, (index) => `  - ${item(index)}`)}\n`;
}

/** The text of a scenario with `size` parts of one kind. */
const scenarios: Readonly<Record<string, (size: number) => string>> = {
  'unknown keys': (size) => head + target + workload + stages + many(size, (index) => `k${index}: ${index}`),
  'unknown keys in a workload': (size) =>
    `${head}${target}${stages}workload:\n  low-load:\n${many(size, (index) => `    k${index}: 1`)}`,
  workloads: (size) =>
    `${head}${target}${stages}workload:\n${many(size, (index) => `  w${index}: { profile: low-load }`)}`,
  'workloads without a profile': (size) =>
    `${head}${target}${stages}workload:\n${many(size, (index) => `  lowload${index}: {}`)}`,
  'workloads that are no maps': (size) =>
    `${head}${target}${stages}workload:\n${many(size, (index) => `  w${index}: 7`)}`,
  stages: (size) => head + target + workload + list('stages', size, (index) => `{ name: s${index}, duration: 1s }`),
  'stages of one name': (size) => head + target + workload + list('stages', size, () => '{ name: s, duration: 1s }'),
  'stages that are wrong': (size) => head + target + workload + list('stages', size, () => '{ nam: s, durations: 1s }'),
  'steps of a stage': (size) =>
    `${head}${target}${workload}stages: [{ name: s, load: { hold: 1s, steps: [${many(size, () => '10%', ', ')}] } }]`,
  'profiles of a stage': (size) =>
    `${head}${target}${workload}stages: [{ name: s, duration: 1s, profiles: [${many(size, (i) => `l${i}`, ', ')}] }]`,
  thresholds: (size) =>
    head + target + workload + stages + list('thresholds', size, () => '\'connect.p95{stage="steady"} < 1s\''),
  'thresholds that are wrong': (size) =>
    head + target + workload + stages + list('thresholds', size, (index) => `'latensy.p${index} < 1s'`),
  'thresholds of unknown operations': (size) =>
    head +
    target +
    workload +
    stages +
    list('thresholds', size, (index) => `'latency.p95{operation="ech${index}"} < 1s'`),
  faults: (size) => head + workload + stages + list('faults', size, () => '{ kind: scale, at: 1s, replicas: 2 }'),
  operations: (size) => `${operations}${many(size, (index) => `      - { tool: t${index} }`)}`,
  'operations of one name': (size) => `${operations}${many(size, () => '      - { tool: t }')}`,
  'operations that are wrong': (size) => `${operations}${many(size, () => '      - { tol: t, ping: 7 }')}`,
  'an argument with many templates': (size) => `${argument}"${many(size, () => '{{ int 1 9 }}', ' ')}" } }]`,
  'an argument with many open templates': (size) => `${argument}"${many(size, () => '{{', ' ')}" } }]`,
  headers: (size) =>
    `${head}${workload}${stages}target:\n  server: { url: ${url} }\n  headers:\n${many(size, (i) => `    x-${i}: a`)}`,
  'urls of a target': (size) =>
    `${head}${workload}${stages}target: { server: { url: [${many(size, (i) => `"http://127.0.0.1/${i}"`, ', ')}] } }`,
  'keys that come twice': (size) => head + target + workload + stages + many(size, (index) => `k${index % 2}: 1`),
  'nested lists': (size) => `${head}${target}${workload}${stages}x: ${'['.repeat(size)}${']'.repeat(size)}`,
  'lists that are not closed': (size) => `${head}x: ${'['.repeat(size)}`,
  'a long text': (size) => `${head}${target}${workload}${stages}description: "${'x'.repeat(10 * size)}"`,
  'a text of many lines': (size) => `${head}${target}${workload}${stages}description: |\n${many(size, () => '  x')}\n`,
  'a text of many folded lines': (size) =>
    `${head}${target}${workload}${stages}description: "${many(size, () => 'x', '\n  ')}"`,
  comments: (size) => head + target + workload + stages + many(size, () => '# x'),
  'blank lines': (size) => `${head}${target}${workload}${stages}${'\n'.repeat(10 * size)}x: 1`,
  aliases: (size) => `${head}x: &a 1\ny: [${many(size, () => '*a', ', ')}]`,
  'aliases of lists': (size) => `${head}x: &a [1, 2, 3]\ny: [${many(size, () => '*a', ', ')}]`,
  anchors: (size) => `${head}y: [${many(size, (index) => `&a${index} 1`, ', ')}]`,
  'unknown tags': (size) => `${head}y: [${many(size, () => '!x 1', ', ')}]`,
  tabs: (size) => `${head}${many(size, () => '\tx: 1')}`,
  'a long duration': (size) => `${head}${target}${workload}stages: [{ name: s, duration: "${'1s'.repeat(size)}" }]`,
  'a long number': (size) => `${head}${target}${workload}stages: [{ name: s, duration: "${'1'.repeat(10 * size)}" }]`,
  'a long name': (size) => `name: ${'a-'.repeat(5 * size)}!\n${target}${workload}${stages}`,
  'a long check': (size) => `${check}['latency.p95{stage="${'s'.repeat(10 * size)}"} < 1s']`,
  'a check of many labels': (size) => `${check}['latency.p95{${many(size, () => 'stage="steady"', ',')}} < 1s']`,
  'a check of spaces': (size) => `${check}['latency.p95 <${' '.repeat(10 * size)}1s']`,
};

function read(text: string, sets: readonly string[] = []): void {
  const io = { ...diskIo, readText: (path: string) => (path === 'growth.yaml' ? text : diskIo.readText(path)) };
  const result = loadPlan({ scenario: 'growth.yaml', sets, env: {} }, io);
  if (!result.ok) formatProblems(result.problems);
}

/** Of more than a thousand of these, none is looked at. */
const sizes: Readonly<Record<string, number>> = { workloads: 120, stages: 120, thresholds: 120, faults: 120 };

describe('a scenario is read in linear time, with many', () => {
  test.each(Object.entries(scenarios))('%s', async (name, textOf) => {
    expect(await growthOf((size) => read(textOf(size)), sizes[name] ?? 250)).toBeLessThan(LINEAR);
  });
});

describe('an override is read in linear time, with many', () => {
  const scenario = head + target + workload + stages;
  test.each<[string, (size: number) => readonly string[]]>([
    ['of them', (size) => Array.from({ length: size }, () => 'workload.low-load.clients=1')],
    ['parts of its path', (size) => [`${'a.'.repeat(size)}b=1`]],
    ['values', (size) => [`thresholds=[${many(size, () => 'x', ',')}]`]],
  ])('%s', async (_, setsOf) => {
    expect(await growthOf((size) => read(scenario, setsOf(size)), 100)).toBeLessThan(LINEAR);
  });
});

describe('a configuration of an MCP client is read in linear time, with many', () => {
  const surroundings = { file: 'mcp.json', shownFile: 'mcp.json', env: { A: 'a' }, inputs: {} };
  const config = { ...surroundings, readText: () => undefined };
  test.each<[string, (size: number) => string]>([
    ['servers', (size) => `{"mcpServers":{${many(size, (i) => `"s${i}":{"url":"http://127.0.0.1/"}`, ',')}}}`],
    [
      'variables',
      (size) => `{"mcpServers":{"s":{"url":"http://h/","headers":{${many(size, (i) => `"x${i}":"\${A}"`, ',')}}}}}`,
    ],
    ['unknown keys', (size) => `{${many(size, (i) => `"k${i}":1`, ',')}}`],
    ['comments', (size) => `{${many(size, () => '// x\n', '')}}`],
  ])('%s', async (_, textOf) => {
    expect(await growthOf((size) => chooseServer({ ...config, text: textOf(size) }, 's'), 250)).toBeLessThan(LINEAR);
  });
});

test('of many problems, a hundred are told, and how many more there are', () => {
  const text = scenarios['unknown keys']?.(20_000) ?? '';
  const io = { ...diskIo, readText: (path: string) => (path === 'growth.yaml' ? text : diskIo.readText(path)) };
  const result = loadPlan({ scenario: 'growth.yaml', env: {} }, io);
  const told = formatProblems(result.ok ? [] : result.problems);
  expect(told.length).toBeLessThan(100_000);
  expect(told.split('\n').at(-1)).toBe('and 19900 more');
});
