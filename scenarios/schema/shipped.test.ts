import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { formatProblems } from '../yaml/problem.js';
import { profileJsonSchema, scenarioJsonSchema } from './keys/describe-keys.js';
import { listProfiles, listScenarios } from './list-scenarios.js';
import { loadPlan } from './load-plan.js';
import { peakRate, totalDurationMs } from './offered-load.js';
import type { Plan } from './plan.js';
import { shippedFolder } from './scenario-io.js';

const profiles = [
  'affinity',
  'error-injector',
  'flood',
  'high-load',
  'idle-session',
  'low-load',
  'message-bomber',
  'normal',
  'publisher',
  'reconnector',
  'slow-client',
  'subscriber',
];
const scenarios = [
  'backlog-drain',
  'baseline',
  'capacity-search',
  'ci',
  'connection-flood',
  'connection-scaling',
  'connection-storm-after-outage',
  'gateway-failure',
  'idle-streams',
  'long-running-stability',
  'message-bombing',
  'mixed-workload',
  'network-partition',
  'node-failure',
  'noisy-neighbour',
  'packet-loss',
  'replica-scaling',
  'rolling-update',
  'service-failure',
  'session-affinity',
  'session-leak',
  'slow-client-attack',
  'slow-network',
  'smoke',
  'spike',
  'subscription-fanout',
];

function planOf(scenario: string, sets: readonly string[] = []): Plan {
  const result = loadPlan({ scenario, sets, env: {} });
  if (result.ok) return result.plan;
  throw new Error(formatProblems(result.problems));
}

test('all scenarios and profiles are listed, each with a description', () => {
  expect(listScenarios().map(({ name }) => name)).toEqual(scenarios);
  expect(listProfiles().map(({ name }) => name)).toEqual(profiles);
  for (const entry of [...listScenarios(), ...listProfiles()]) expect(entry.description.length).toBeGreaterThan(20);
});

describe('every shipped scenario', () => {
  test.each(scenarios)('%s is valid, has the name of its file, no warnings, and thresholds', (name) => {
    const plan = planOf(name);
    expect(plan.scenario).toBe(name);
    expect(plan.warnings).toEqual([]);
    expect(plan.thresholds.length).toBeGreaterThan(0);
    expect(plan.stages.some(({ measured }) => !measured)).toBe(true);
  });
});

test('the profiles have the clients and rates that their descriptions name', () => {
  const numbers = profiles.map((name) => {
    const [profile] = planOf('smoke', ['workload={}', `workload.${name}={}`]).profiles;
    return [
      profile?.name,
      profile?.clients,
      profile?.arrivals.model === 'open' ? profile.arrivals.ratePerSecond : profile?.arrivals.model,
    ];
  });
  expect(numbers).toEqual([
    ['affinity', 12, 'closed'],
    ['error-injector', 10, 10],
    ['flood', 100, 'closed'],
    ['high-load', 50, 1000],
    ['idle-session', 100, 'closed'],
    ['low-load', 10, 10],
    ['message-bomber', 20, 10_000],
    ['normal', 25, 100],
    ['publisher', 10, 10],
    ['reconnector', 100, 1],
    ['slow-client', 5, 1],
    ['subscriber', 100, 'none'],
  ]);
});

test('smoke takes 20 s; connection-flood ramps for five minutes, holds for three and goes down in two', () => {
  expect(totalDurationMs(planOf('smoke'))).toBe(20_000);
  expect(planOf('connection-flood').stages.map(({ durationMs }) => durationMs / 60_000)).toEqual([5, 3, 2]);
});

test('scenarios against the reference server stay below the capacity of one core', () => {
  for (const name of scenarios.filter(
    (candidate) => candidate !== 'message-bombing' && candidate !== 'connection-scaling',
  )) {
    const plan = planOf(name);
    for (const stage of plan.stages) {
      const rate = plan.profiles.reduce((sum, profile) => sum + (peakRate(stage, profile) ?? 0), 0);
      expect(rate).toBeLessThanOrEqual(500);
    }
  }
});

test('scenarios call only what the reference server offers', () => {
  const offered = [
    'echo',
    'sleep',
    'random_latency',
    'payload',
    'progress',
    'publish',
    'bench://static/1k',
    'bench://static/64k',
    'greeting',
    'tools/list',
    'resources/list',
    'prompts/list',
  ];
  const called = scenarios.flatMap((name) =>
    planOf(name).profiles.flatMap(({ operations }) => operations.map((operation) => operation.name)),
  );
  expect(
    [...new Set(called)].filter((name) => !name.startsWith('bench://topic/')).filter((name) => !offered.includes(name)),
  ).toEqual([]);
});

describe('the JSON Schemas', () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  const scenario = ajv.compile(scenarioJsonSchema());
  const profile = ajv.compile(profileJsonSchema());
  const yamlFiles = (folder: string) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => join(folder, file));

  test.each(yamlFiles(shippedFolder()).map((file) => [basename(file), file]))('take %s', (_, file) => {
    scenario(parse(readFileSync(file, 'utf8')));
    expect(scenario.errors).toBeNull();
  });

  test.each(yamlFiles(join(shippedFolder(), 'profiles')).map((file) => [basename(file), file]))(
    'take profiles/%s',
    (_, file) => {
      profile(parse(readFileSync(file, 'utf8')));
      expect(profile.errors).toBeNull();
    },
  );

  test.each([
    ['an unknown key', { name: 's', workload: {}, stages: [{ name: 'a', durration: '1s' }] }],
    ['a wrong unit', { name: 's', workload: {}, stages: [{ name: 'a', duration: '10' }] }],
    [
      'an unknown key of a workload',
      { name: 's', workload: { x: { clientz: 1 } }, stages: [{ name: 'a', duration: '1s' }] },
    ],
    ['no stages', { name: 's', workload: {}, stages: [] }],
  ])('refuse %s', (_, value) => {
    expect(scenario(value)).toBe(false);
  });

  test('describe every key', () => {
    const bare: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [key, value] of Object.entries(schema)) {
        if (key === 'properties')
          for (const [name, property] of Object.entries(value as object))
            if (!('description' in (property as object))) bare.push(`${path}.${name}`);
        visit(value, key === 'properties' ? path : `${path}.${key}`);
      }
    };
    visit(scenarioJsonSchema(), 'scenario');
    visit(profileJsonSchema(), 'profile');
    expect(bare).toEqual([]);
  });
});
