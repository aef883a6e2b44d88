import { redactPlan } from '../../../../scenarios/schema/redact.js';
import { html } from '../../html/markup.js';
import { table } from '../../html/table.js';
import { clip } from '../../tidy.js';
import type { ReportSection } from '../report-section.js';
import { buildProfiles } from './build.js';
import { type Profile, schema } from './schema.js';

const shownPlanLength = 60_000;

export const workload = {
  id: 'workload',
  title: 'Workload',
  schema,
  build: (input) => ({ profiles: buildProfiles(input), plan: { ...redactPlan(input.plan) } }),
  html: ({ profiles, plan }) => html`<div class="stack">
${table<Profile>(
  'Profiles',
  [
    { head: 'Profile', cell: ({ name }) => name },
    { head: 'Clients', cell: ({ clients }) => clients },
    { head: 'Load', cell: ({ load }) => load, text: true },
    { head: 'Sessions', cell: ({ session }) => session, text: true },
    { head: 'Window of a client', cell: ({ window }) => window, text: true },
  ],
  profiles,
)}
<details><summary>The whole plan, as it ran</summary>
<pre tabindex="0">${clip(JSON.stringify(plan, undefined, 2), shownPlanLength)}</pre></details>
</div>`,
} satisfies ReportSection<typeof schema>;
