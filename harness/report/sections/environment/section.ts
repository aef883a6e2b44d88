import { z } from 'zod';
import type { RunModel } from '../../../analysis/fold-run.js';
import { formatBytes } from '../../../analysis/format.js';
import { html } from '../../html/markup.js';
import { clip } from '../../tidy.js';
import type { ReportSection, SectionData } from '../report-section.js';

const schema = { environment: z.record(z.string(), z.unknown()) };

export const environment = {
  id: 'environment',
  title: 'Environment',
  schema,
  build: (input) => ({ environment: build(input) }),
  html: ({ run, environment: all }) =>
    html`<dl class="pairs">${[
      ['command', run.command],
      ['swarmbench', run.version],
      ...Object.entries(run.labels).map(([key, value]) => [`label ${key}`, value]),
      ...flatten('', all),
    ].map(([key = '', value = '']) => html`<dt>${key}</dt><dd>${clip(value, 400)}</dd>`)}</dl>`,
} satisfies ReportSection<typeof schema>;

function build({ plan, facts }: RunModel): SectionData<typeof schema>['environment'] {
  const { environment: known, endpoints, preflight } = facts;
  return {
    ...known,
    target: {
      kind: plan.target.kind,
      endpoints,
      ...(facts.arms === undefined ? {} : { arms: facts.arms }),
    },
    ...(preflight.kind === 'passed' ? protocolOf(preflight) : {}),
    scenario: { file: plan.source.file, configHash: plan.source.configHash },
  };
}

type PassedPreflight = Extract<RunModel['facts']['preflight'], { readonly kind: 'passed' }>;

/** What preflight pinned; with several routes to the target, by profile too. */
function protocolOf({ pinned, routes, serverInfo }: PassedPreflight): Record<string, unknown> {
  return {
    protocol: pinned,
    ...(routes === undefined
      ? {}
      : {
          protocols: Object.fromEntries(
            routes.flatMap((route) => route.profiles.map((name) => [name, route.pinned] as const)),
          ),
        }),
    ...(serverInfo === undefined ? {} : { server: serverInfo }),
  };
}

/** `nodes.0.cores` becomes `nodes 1 cores`; bounded, because a platform may describe anything as its environment. */
function flatten(path: string, value: unknown, depth = 0): readonly (readonly [string, string])[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'number' && path.endsWith('Bytes'))
    return [[path.slice(0, -'Bytes'.length), formatBytes(value)]];
  if (typeof value !== 'object' || depth > 4)
    return [[path, typeof value === 'object' ? JSON.stringify(value) : String(value)]];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    return value.length === 0 ? [] : [[path, value.join(', ')]];
  const entries = Array.isArray(value)
    ? value.map((item, at): [string, unknown] => [String(at + 1), item])
    : Object.entries(value);
  return entries.slice(0, 200).flatMap(([key, item]) => flatten(path === '' ? key : `${path} ${key}`, item, depth + 1));
}
