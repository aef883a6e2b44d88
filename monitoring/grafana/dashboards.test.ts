import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../tests/support/package-root.js';
import { dashboardFiles } from './dashboard-files.js';

const grafana = join(packageRoot, 'monitoring', 'grafana');

/** Grafana refuses a dashboard file without these, or shows nothing. */
const place = z.object({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1).max(24), h: z.int().min(1) });
const source = z.object({ type: z.literal('prometheus'), uid: z.string() });
const dashboard = z.object({
  uid: z
    .string()
    .max(40)
    .regex(/^[\w-]+$/),
  title: z.string().min(1),
  schemaVersion: z.literal(39),
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.literal('query'), datasource: source })) }),
  panels: z
    .array(
      z.object({
        id: z.int().min(1),
        title: z.string().min(1),
        type: z.enum(['row', 'timeseries', 'stat']),
        gridPos: place,
        datasource: source.optional(),
        targets: z
          .array(
            z.object({
              refId: z.string().regex(/^[A-Z]$/),
              expr: z.string().min(1),
              legendFormat: z.string(),
              datasource: source,
            }),
          )
          .optional(),
      }),
    )
    .min(1),
});

const files = [...dashboardFiles()];
const dashboards = files.map(([name, text]) => [name, dashboard.parse(JSON.parse(text))] as const);

test.each(files)(
  '%s in the repository is what the code generates (if not: npm run build && node tools/generate.mjs)',
  (name, text) => {
    expect(readFileSync(join(grafana, 'dashboards', name), 'utf8')).toBe(text);
  },
);

test('the folder has no other file', () => {
  expect(readdirSync(join(grafana, 'dashboards')).sort()).toEqual(files.map(([name]) => name).sort());
});

test('every dashboard has its own uid', () => {
  expect(new Set(dashboards.map(([, { uid }]) => uid)).size).toBe(dashboards.length);
});

describe.each(dashboards)('%s', (_, { panels, templating }) => {
  test('has variables for stack, profile and replica', () => {
    expect(templating.list.map(({ name }) => name)).toEqual(['stack', 'profile', 'replica']);
  });

  test('has no two panels with the same id or in the same place', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  test('queries the provisioned data source', () => {
    const { datasources } = parse(
      readFileSync(join(grafana, 'provisioning', 'datasources', 'prometheus.yml'), 'utf8'),
    ) as { datasources: readonly { uid: string; type: string }[] };
    const asked = new Set(
      panels
        .flatMap(({ datasource, targets = [] }) => [datasource, ...targets.map((target) => target.datasource)])
        .flatMap((each) => (each === undefined ? [] : [each.uid])),
    );
    expect([...asked]).toEqual(datasources.filter(({ type }) => type === 'prometheus').map(({ uid }) => uid));
  });
});

test('the stack mounts every dashboard where the provider looks for it', () => {
  const { providers } = parse(readFileSync(join(grafana, 'provisioning', 'dashboards', 'swarmbench.yml'), 'utf8')) as {
    providers: readonly { options: { path: string } }[];
  };
  const stack = parse(readFileSync(join(packageRoot, 'swarm', 'stack.yml'), 'utf8'), { merge: true }) as {
    services: { grafana: { configs: readonly { target: string }[] } };
  };
  const targets = stack.services.grafana.configs.map(({ target }) => target);
  expect(targets).toEqual(expect.arrayContaining(files.map(([name]) => `${providers[0]?.options.path}/${name}`)));
});
