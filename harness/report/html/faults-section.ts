import type { Report } from '../schema.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';
import { table } from './table.js';
import { count, spell } from './values.js';

type Fault = Report['faults'][number];
type Phase = Pick<Fault, 'convergenceSeconds' | 'recoverySeconds' | 'recoveryUnknown'>;

export function faultsSection({ faults }: Report): Markup {
  return faults.length === 0
    ? html``
    : html`
<h2 id="faults">Faults</h2>
<p>What was changed on purpose while the load was on; shaded in the charts. In effect: from the order until all of it was seen, for replicas running and behind the gateway.
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
    { head: 'At', cell: ({ atSeconds }) => seconds(atSeconds) },
    { head: 'In effect after', cell: (fault) => seconds(fault.convergenceSeconds) },
    { head: 'Recovered after', cell: recovery },
    {
      head: 'Undone at',
      cell: ({ undoneAtSeconds, endedBy }) => (endedBy === 'run-over' ? 'end of the run' : seconds(undoneAtSeconds)),
    },
    { head: 'As before after', cell: ({ undo }) => seconds(undo?.convergenceSeconds ?? null) },
    { head: 'Recovered after', cell: ({ undo }) => (undo === null ? '–' : recovery(undo)) },
    { head: 'Failed during', cell: ({ failedDuring }) => count(failedDuring) },
  ],
  faults,
)}`;
}

function recovery({ recoverySeconds, recoveryUnknown }: Phase): string {
  if (recoverySeconds === 0) return 'never fell';
  return recoverySeconds === null ? `not known: ${recoveryUnknown ?? 'no data'}` : seconds(recoverySeconds);
}

function seconds(value: number | null): string {
  return value === null ? '–' : spell(value);
}
