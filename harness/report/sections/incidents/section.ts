import { z } from 'zod';
import { significant } from '../../../analysis/format.js';
import { type Incident, incidentsOf } from '../../../analysis/statistics/incidents.js';
import { html } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { clip } from '../../tidy.js';
import { count, duration } from '../../values.js';
import type { ReportSection, SectionData } from '../report-section.js';
import { maybe, count as wholeCount } from '../shared/fields.js';

const schema = {
  /** What happened to the platform while the load was on, in order of time; marked in the charts like all events. */
  incidents: z
    .array(
      z.strictObject({
        /** Run time. */
        atSeconds: z.number(),
        /** ISO 8601. */
        at: z.string(),
        what: z.string(),
        /** A replica (`mcp-server.2`), another task, a service or a node. */
        subject: z.string(),
        node: z.string().optional(),
        exitCode: z.number().optional(),
        text: z.string(),
        /** When it was over; null when it was not, or has no duration. */
        untilSeconds: maybe,
        /** The fault that caused it; null when nobody ordered it in this run. */
        fault: z.string().nullable(),
        /** Failed and lost operations from then until 3 s after its end. */
        failedDuring: wholeCount,
      }),
    )
    .optional(),
};
type Incidents = NonNullable<SectionData<typeof schema>['incidents']>;
type Shown = Incidents[number];

export const incidents = {
  id: 'incidents',
  title: 'What happened',
  schema,
  build: ({ facts, aggregate }) => {
    const found = incidentsOf(facts, aggregate);
    return found.length === 0 ? {} : { incidents: found.map(shownIncident) };
  },
  when: ({ incidents: all = [] }) => all.length > 0,
  html: ({ incidents: all = [] }) => html`<p>What happened to replicas, services, nodes and the gateway while the load
was on. Without the name of a fault, nobody ordered it in this run. The charts mark it.</p>
${table<Shown>(
  'What happened',
  [
    { head: 'At', cell: ({ atSeconds }) => moment(atSeconds) },
    { head: 'What', cell: ({ text }) => text, text: true },
    { head: 'Lasted', cell: lasted },
    { head: 'Failed operations meanwhile', cell: ({ failedDuring }) => count(failedDuring) },
    { head: 'By', cell: ({ fault }) => (fault === null ? 'itself' : `fault ${fault}`) },
  ],
  all,
)}`,
  markdown: ({ incidents: all = [] }) =>
    all.length === 0
      ? ''
      : markdown.table(
          ['At', 'What happened', 'Lasted', 'Failed operations meanwhile', 'By'],
          all.map((incident) => [
            moment(incident.atSeconds),
            markdown.text(incident.text),
            lasted(incident),
            significant(incident.failedDuring),
            markdown.text(incident.fault === null ? 'itself' : `fault ${incident.fault}`),
          ]),
        ),
} satisfies ReportSection<typeof schema>;

function shownIncident({
  atMs,
  untilMs,
  fault,
  failedDuring,
  what,
  subject,
  node,
  exitCode,
  ...rest
}: Incident): Shown {
  return {
    atSeconds: atMs / 1000,
    at: rest.happenedAt,
    what,
    subject,
    ...(node === undefined ? {} : { node }),
    ...(exitCode === undefined ? {} : { exitCode }),
    text: clip(rest.text, 500),
    untilSeconds: untilMs === undefined ? null : untilMs / 1000,
    fault: fault ?? null,
    failedDuring,
  };
}

function moment(seconds: number): string {
  return seconds < 0 ? 'before' : duration(seconds);
}

function lasted({ atSeconds, untilSeconds }: Shown): string {
  return untilSeconds === null ? '–' : duration(untilSeconds - atSeconds);
}
