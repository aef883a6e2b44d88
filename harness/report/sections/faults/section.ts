import { significant } from '../../../analysis/format.js';
import { html } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { count, duration } from '../../values.js';
import type { ReportSection } from '../report-section.js';
import { buildFaults } from './build.js';
import { type Fault, type FaultPhase, schema } from './schema.js';

export const faults = {
  id: 'faults',
  title: 'Faults',
  schema,
  build: (input) => ({ faults: buildFaults(input) }),
  when: ({ faults: all }) => all.length > 0,
  html: ({ faults: all }) => html`<p>Changes that were made on purpose while the load was on; the charts shade them.
A fault took effect when all of it was seen: for replicas, running and behind the gateway.
Throughput recovered when its mean over three seconds stayed at 95 % of the ten seconds before.</p>
${table<Fault>(
  'Faults',
  [
    { head: 'Fault', cell: ({ id, kind }) => `${id} ${kind}` },
    {
      head: 'Change',
      cell: ({ target, problem }) =>
        problem === undefined ? target : html`${target} <span class="bad">${problem}</span>`,
      text: true,
    },
    { head: 'At', cell: ({ atSeconds }) => moment(atSeconds) },
    { head: 'Took effect in', cell: ({ convergenceSeconds }) => moment(convergenceSeconds) },
    { head: 'Recovered in', cell: recovery },
    {
      head: 'Undone at',
      cell: ({ undoneAtSeconds, endedBy }) => (endedBy === 'run-over' ? 'end of the run' : moment(undoneAtSeconds)),
    },
    { head: 'Undo took effect in', cell: ({ undo }) => moment(undo?.convergenceSeconds ?? null) },
    { head: 'Recovered from undo in', cell: ({ undo }) => (undo === null ? '–' : recovery(undo)) },
    { head: 'Failed operations', cell: ({ failedDuring }) => count(failedDuring) },
  ],
  all,
)}`,
  markdown: ({ faults: all }) =>
    all.length === 0
      ? ''
      : markdown.table(
          [
            'Fault',
            'Change',
            'At',
            'Took effect in',
            'Recovered in',
            'Undone at',
            'Undo took effect in',
            'Recovered from undo in',
            'Failed operations',
          ],
          all.map((fault) => [
            markdown.text(`${fault.id} ${fault.kind}`),
            markdown.text(fault.target),
            markdown.seconds(fault.atSeconds),
            markdown.seconds(fault.convergenceSeconds),
            markdown.seconds(fault.recoverySeconds),
            markdown.seconds(fault.undoneAtSeconds),
            markdown.seconds(fault.undo?.convergenceSeconds ?? null),
            markdown.seconds(fault.undo?.recoverySeconds ?? null),
            significant(fault.failedDuring),
          ]),
        ),
} satisfies ReportSection<typeof schema>;

/** From the order until throughput was back. */
function recovery({ recoverySeconds, recoveryUnknown }: FaultPhase): string {
  if (recoverySeconds === 0) return 'never fell';
  return recoverySeconds === null ? `unknown: ${recoveryUnknown ?? 'no data'}` : duration(recoverySeconds);
}

function moment(seconds: number | null): string {
  return seconds === null ? '–' : duration(seconds);
}
