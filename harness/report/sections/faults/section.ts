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
  html: ({
    faults: all,
  }) => html`<p>What was changed on purpose while the load was on; shaded in the charts. In effect: from the order until all of it was seen, for replicas running and behind the gateway.
Recovered: until throughput over three seconds stayed at 95 % of the ten seconds before.</p>
${table<Fault>(
  'Faults',
  [
    { head: 'Fault', cell: ({ id, kind }) => `${id} ${kind}` },
    {
      head: 'What',
      cell: ({ target, problem }) =>
        problem === undefined ? target : html`${target} <span class="bad">${problem}</span>`,
      text: true,
    },
    { head: 'At', cell: ({ atSeconds }) => moment(atSeconds) },
    { head: 'In effect after', cell: ({ convergenceSeconds }) => moment(convergenceSeconds) },
    { head: 'Recovered after', cell: recovery },
    {
      head: 'Undone at',
      cell: ({ undoneAtSeconds, endedBy }) => (endedBy === 'run-over' ? 'end of the run' : moment(undoneAtSeconds)),
    },
    { head: 'As before after', cell: ({ undo }) => moment(undo?.convergenceSeconds ?? null) },
    { head: 'Recovered after', cell: ({ undo }) => (undo === null ? '–' : recovery(undo)) },
    { head: 'Failed during', cell: ({ failedDuring }) => count(failedDuring) },
  ],
  all,
)}`,
  markdown: ({ faults: all }) =>
    all.length === 0
      ? ''
      : markdown.table(
          [
            'Fault',
            'What',
            'At',
            'In effect after',
            'Recovered after',
            'Undone at',
            'As before after',
            'Recovered after',
            'Failed during',
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

function recovery({ recoverySeconds, recoveryUnknown }: FaultPhase): string {
  if (recoverySeconds === 0) return 'never fell';
  return recoverySeconds === null ? `not known: ${recoveryUnknown ?? 'no data'}` : duration(recoverySeconds);
}

function moment(seconds: number | null): string {
  return seconds === null ? '–' : duration(seconds);
}
