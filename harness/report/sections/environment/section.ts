import { formatBytes } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import type { Report } from '../../schema.js';
import { clip } from '../../tidy.js';
import { duration } from '../../values.js';

export function workloadSection(report: Report): Markup {
  return html`
<h2 id="workload">Workload</h2>
<div class="stack">
${table<Report['profiles'][number]>(
  'Profiles',
  [
    { head: 'Profile', cell: ({ name }) => name },
    { head: 'Clients', cell: ({ clients }) => clients },
    { head: 'Load', cell: ({ load }) => load, text: true },
    { head: 'Sessions', cell: ({ session }) => session, text: true },
    { head: 'Window a client', cell: ({ window }) => window, text: true },
  ],
  report.profiles,
)}
<details><summary>The whole plan, as it ran</summary><pre tabindex="0">${clip(JSON.stringify(report.plan, undefined, 2), 60_000)}</pre></details>
</div>`;
}

export function eventsSection({ events }: Report): Markup {
  return events.length === 0
    ? html``
    : html`
<h2 id="events">What happened</h2>
${table<Report['events'][number]>(
  'Events, with the numbers that mark them in the charts',
  [
    { head: 'Mark', cell: (event) => events.indexOf(event) + 1 },
    { head: 'Run time', cell: ({ t }) => (t === null ? 'before' : t < 0 ? 'before' : duration(t)) },
    { head: 'At', cell: ({ at }) => at, text: true },
    { head: 'Event', cell: ({ text }) => text, text: true },
  ],
  events,
)}`;
}

export function preflightSection({ preflight }: Report): Markup {
  return preflight === null || preflight.ok
    ? html``
    : html`
<h2 id="preflight">Preflight</h2>
<p>${preflight.problem ?? ''}</p>
<div class="stack">${preflight.exchanges.map(
        ({
          step,
          request,
          response,
          durationMs,
          ok,
          problem,
        }) => html`<div><h3>${ok ? '✓' : '✗'} ${step} <span class="quiet">${durationMs.toFixed(1)} ms</span></h3>
${problem === undefined ? '' : html`<p class="bad">${problem}</p>`}<p class="note">Request</p><pre tabindex="0">${request}</pre><p class="note">Answer</p><pre tabindex="0">${response}</pre></div>`,
      )}</div>`;
}

export function environmentSection(report: Report): Markup {
  return html`
<h2 id="environment">Environment</h2>
<dl class="pairs">${[
    ['command', report.run.command],
    ['swarmbench', report.run.version],
    ...Object.entries(report.run.labels).map(([key, value]) => [`label ${key}`, value]),
    ...flatten('', report.environment),
  ].map(([key = '', value = '']) => html`<dt>${key}</dt><dd>${clip(value, 400)}</dd>`)}</dl>`;
}

/** `nodes.0.cores` -> `nodes 1 cores`; bounded, because an environment is whatever a platform says it is. */
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

export function balanceSection({ balance }: Report): Markup {
  const gaps = balance.filter(({ gap }) => gap !== 0);
  return html`
<h2 id="balance">Balance of the books</h2>
${
  gaps.length === 0
    ? html`<p>${balance.length} books (one for each worker and stage) balance: offered = sent + dropped + unsent, sent = succeeded + failed + lost.</p>`
    : table<Report['balance'][number]>(
        `${gaps.length} of ${balance.length} books have a gap`,
        [
          { head: 'Worker', cell: ({ worker }) => worker },
          { head: 'Stage', cell: ({ stage }) => stage, text: true },
          { head: 'Offered', cell: ({ offeredGap }) => offeredGap },
          { head: 'Sent', cell: ({ sentGap }) => sentGap },
          { head: 'Errors', cell: ({ errorsGap }) => errorsGap },
          {
            head: 'Why',
            cell: ({ workerLost }) =>
              workerLost
                ? 'the worker was lost with it'
                : html`<span class="bad">a fault of this program: please report it</span>`,
            text: true,
          },
        ],
        gaps,
      )
}`;
}
