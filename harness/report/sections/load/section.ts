import { significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import type { TimeContext } from '../../svg/frame.js';
import { lineChart } from '../../svg/line-chart.js';
import type { ReportSection } from '../report-section.js';
import { buildTimeline, lineUnlessZero, pointsOf, ratesOf, type TimelineData, timelineSchema } from './timeline.js';

const schema = { timeline: timelineSchema };

export const load = {
  id: 'load',
  title: 'Load',
  needsLoad: true,
  schema,
  build: ({ plan, aggregate }) => ({ timeline: buildTimeline(plan, aggregate) }),
  html: charts,
} satisfies ReportSection<typeof schema>;

function charts({ timeline }: TimelineData, time: TimeContext): Markup {
  const perSecond = { time, format: significant, perSecond: true, whole: true } as const;
  const half = { ...perSecond, width: 'half', height: 230 } as const;
  return html`
${lineChart({
  id: 'throughput',
  title: 'Operations a second: offered and succeeded',
  ...perSecond,
  caption:
    'Operations that came due (dashed) and operations that succeeded. Where the lines part, the target did not ' +
    'keep up: the rest waited, was dropped, or failed.',
  series: [
    {
      name: 'Succeeded',
      style: 's-main',
      area: true,
      points: ratesOf(timeline, time, ({ succeeded }) => succeeded),
    },
    { name: 'Offered', style: 's-plain dashed', points: ratesOf(timeline, time, ({ offered }) => offered) },
    ...lineUnlessZero({ name: 'Failed', style: 's-bad' }, timeline, time, ({ failed }) => failed),
    ...lineUnlessZero({ name: 'Dropped', style: 's-accent dotted' }, timeline, time, ({ dropped }) => dropped),
  ],
})}
<div class="pair">
${lineChart({
  id: 'clients',
  title: 'Clients, sessions, connections',
  ...half,
  series: [
    { name: 'Clients', style: 's-main', points: pointsOf(timeline, time, ({ clients }) => clients) },
    { name: 'Sessions', style: 's-good dashed', points: pointsOf(timeline, time, ({ sessions }) => sessions) },
    {
      name: 'Connections',
      style: 's-plain dotted',
      points: pointsOf(timeline, time, ({ connections }) => connections),
    },
  ],
})}
${lineChart({
  id: 'inflight',
  title: 'Operations in flight and waiting',
  ...half,
  series: [
    { name: 'In flight', style: 's-main', points: pointsOf(timeline, time, ({ inFlight }) => inFlight) },
    { name: 'Waiting', style: 's-accent dashed', points: pointsOf(timeline, time, ({ queued }) => queued) },
  ],
})}
</div>`;
}
