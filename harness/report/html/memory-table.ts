import type { Report } from '../schema.js';
import type { Markup } from './markup.js';
import { table } from './table.js';
import { bytes, count, share, spell } from './values.js';

type Row = Report['memory'][number];
const counted = { open: 'a session held open', opened: 'a session ever opened' } as const;

/** Nothing where no sessions came or went. */
export function memoryTable({ memory, stages }: Report): Markup | string {
  return memory.length === 0
    ? ''
    : table<Row>(
        'Memory of the target per session, by a line through the samples of each stage',
        [
          {
            head: 'Stage',
            cell: ({ stage, trial }) => (stages.some((one) => one.trial > 1) ? `${stage} (trial ${trial})` : stage),
          },
          { head: 'Sessions end with', cell: ({ how }) => how, text: true },
          { head: 'For', cell: ({ against }) => counted[against], text: true },
          {
            head: 'Sessions',
            cell: ({ fromSessions, toSessions }) => `${count(fromSessions)} to ${count(toSessions)}`,
          },
          { head: 'Bytes each', cell: ({ bytesPerSession }) => bytes(bytesPerSession) },
          { head: '95 % interval', cell: ({ low, high }) => (low === null ? '–' : `${bytes(low)} to ${bytes(high)}`) },
          { head: 'Explained', cell: ({ r2 }) => share(r2) },
          { head: 'Samples', cell: ({ samples }) => count(samples) },
          {
            head: 'Memory before → at its end',
            cell: ({ givenBack }) =>
              givenBack === null ? '–' : `${bytes(givenBack.beforeBytes)} → ${bytes(givenBack.endBytes)}`,
          },
          {
            head: 'After a rest',
            cell: ({ givenBack }) =>
              givenBack === null ? '–' : `${bytes(givenBack.afterBytes)} (${spell(givenBack.restSeconds)})`,
          },
          { head: 'Given back', cell: ({ givenBack }) => share(givenBack?.share ?? null) },
          { head: '', cell: ({ why }) => why ?? '', text: true },
        ],
        memory,
      );
}
