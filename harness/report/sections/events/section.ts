import { z } from 'zod';
import { table } from '../../html/table.js';
import { clip } from '../../tidy.js';
import { duration } from '../../values.js';
import type { ReportSection, SectionData } from '../report-section.js';

const schema = {
  events: z.array(
    z.strictObject({ t: z.number().nullable(), /** ISO 8601. */ at: z.string(), type: z.string(), text: z.string() }),
  ),
};
type Event = SectionData<typeof schema>['events'][number];

export const events = {
  id: 'events',
  title: 'Events',
  unlisted: true,
  schema,
  build: ({ facts: { timelineEvents, startAt } }) => ({
    // Some are seen only a moment after they happened.
    events: timelineEvents
      .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .map(({ at, type, text }) => ({
        t: startAt === undefined ? null : (Date.parse(at) - startAt) / 1000,
        at,
        type,
        text: clip(text, 500),
      })),
  }),
  when: ({ events: all }) => all.length > 0,
  html: ({ events: all }) =>
    table<Event>(
      'The numbers mark the events in the charts',
      [
        { head: 'Mark', cell: (event) => all.indexOf(event) + 1 },
        { head: 'Run time', cell: ({ t }) => (t === null || t < 0 ? 'before' : duration(t)) },
        { head: 'At', cell: ({ at }) => at, text: true },
        { head: 'Event', cell: ({ text }) => text, text: true },
      ],
      all,
      'events.csv',
    ),
} satisfies ReportSection<typeof schema>;
