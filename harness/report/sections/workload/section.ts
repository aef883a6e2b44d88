import { formatDuration, formatRate } from '../../../../scenarios/schema/grammar/units.js';
import type { ProfilePlan, ThinkTimePlan } from '../../../../scenarios/schema/plan.js';
import { redactPlan } from '../../../../scenarios/schema/redact.js';
import { quantilesAsked } from '../../../analysis/facts/quantiles.js';
import { plural } from '../../../analysis/format.js';
import { html } from '../../html/markup.js';
import { table } from '../../html/table.js';
import { clip } from '../../tidy.js';
import type { BuildInput, ReportSection } from '../report-section.js';
import { noPeaks, trafficBlock } from '../shared/traffic.js';
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

function buildProfiles({ plan, aggregate, measured, measuredSeconds }: BuildInput): Profile[] {
  return plan.profiles.map((profile) => ({
    name: profile.name,
    load: describeLoad(profile),
    session: describeSession(profile),
    window: describeWindow(profile),
    clients: profile.clients,
    ...trafficBlock(
      aggregate.select({ stages: measured, profile: profile.name }),
      measuredSeconds,
      noPeaks,
      quantilesAsked(plan),
    ),
  }));
}

function describeLoad({ arrivals, pacing }: ProfilePlan): string {
  switch (arrivals.model) {
    case 'none':
      return 'listens, calls nothing';
    case 'open':
      return `open loop, ${formatRate(arrivals.ratePerSecond)} a client, ${arrivals.spacing}, ${pacingText[pacing]}`;
    case 'closed':
      return `closed loop, ${describeThinkTime(arrivals.thinkTime)}, ${pacingText[pacing]}`;
  }
}

/** How often the clock is read: operations that are due at the same reading leave in one burst. */
const pacingText: Readonly<Record<ProfilePlan['pacing'], string>> = {
  auto: 'paced by the rate of a worker (0.1 or 1 ms)',
  batch: 'paced by batch (1 ms)',
  metronome: 'paced by metronome (0.1 ms)',
  spin: 'paced by spin (a core of its own)',
};

function describeThinkTime(think: ThinkTimePlan): string {
  switch (think.kind) {
    case 'none':
      return 'no think time';
    case 'fixed':
      return `think time ${formatDuration(think.ms)}`;
    case 'uniform':
      return `think time ${formatDuration(think.minMs)} to ${formatDuration(think.maxMs)}`;
    case 'exponential':
      return `think time ${formatDuration(think.meanMs)} on average, exponential`;
  }
}

function describeSession({ session, onClose }: ProfilePlan): string {
  switch (session.mode) {
    case 'reuse':
      return `one session a client, ${onClose} at its end`;
    case 'pool':
      return `${session.size} sessions shared, ${onClose} at their end`;
    case 'per-request':
      return `a session for each operation, ${onClose} at its end`;
    case 'churn':
      return `a new session every ${describeInterval(session.every)}, ${onClose} at its end`;
  }
}

function describeInterval(every: Extract<ProfilePlan['session'], { readonly mode: 'churn' }>['every']): string {
  return 'ms' in every ? formatDuration(every.ms) : `${every.operations} operations`;
}

function describeWindow({ maxInFlight, connections, pipeline }: ProfilePlan): string {
  const depth = pipeline > 1 ? `, pipelined ${pipeline} deep` : '';
  return `${maxInFlight} in flight over ${plural(connections, 'connection')}${depth}`;
}
