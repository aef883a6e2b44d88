import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import type { Report } from '../../schema.js';
import { count, ms, share } from '../../values.js';
import { replicaSharesChart } from './replica-shares-chart.js';

type Affinity = NonNullable<Report['affinity']>;
type Profile = Affinity['perProfile'][number];
type Replica = Affinity['perReplica'][number];

/** Which replica answered, and what became of sessions that were answered by another one than before. */
export function affinitySection({ affinity }: Report): Markup {
  return affinity === null
    ? html``
    : html`
<h2 id="affinity">Affinity</h2>
<p>${summaryText(affinity)}</p>
<div class="stack">
${affinity.perReplica.length < 2 ? '' : replicaSharesChart(affinity)}
${table<Profile>('By profile, measured stages', profileColumns(affinity.perProfile), affinity.perProfile)}
${table<Replica>('By replica, measured stages', replicaColumns, affinity.perReplica)}
</div>`;
}

function summaryText({ sessions, moved, unknown, unattributed, perReplica }: Affinity): string {
  return [
    `${count(sessions)} sessions were answered by ${perReplica.length === 1 ? 'one replica' : `${perReplica.length} replicas`}.`,
    moved === 0 ? 'None moved.' : `${count(moved)} moved: an answer came from another replica than the one before.`,
    unknown === 0 ? '' : `${count(unknown)} times a replica did not know the session.`,
    unattributed === 0 ? '' : `Of ${count(unattributed)} operations that ended it is not known which replica it was.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function profileColumns(profiles: readonly Profile[]): readonly Column<Profile>[] {
  return [
    { head: 'Profile', cell: ({ profile }) => profile },
    ...(profiles.some(({ sticky }) => sticky !== null)
      ? [{ head: 'Sticky', cell: ({ sticky }: Profile) => sticky ?? '–', text: true }]
      : []),
    { head: 'Era', cell: ({ era }) => era ?? '–', text: true },
    { head: 'Sessions', cell: ({ sessions }) => count(sessions) },
    { head: 'Moved', cell: ({ moved, era }) => bad(moved, era === 'legacy') },
    { head: 'Answers elsewhere', cell: ({ moves }) => count(moves) },
    { head: 'Not known', cell: ({ unknown }) => bad(unknown, true) },
    { head: 'Lost', cell: ({ lost }) => bad(lost, true) },
    { head: 'Not opened', cell: ({ refused }) => bad(refused, true) },
    { head: 'Succeeded', cell: ({ succeeded }) => count(succeeded) },
    { head: 'Failed', cell: ({ failed }) => count(failed) },
    { head: 'Errors', cell: ({ errorRate }) => share(errorRate) },
    { head: 'p95', cell: ({ latencyMs }) => ms(latencyMs.p95) },
  ];
}

const replicaColumns: readonly Column<Replica>[] = [
  { head: 'Replica', cell: ({ replica }) => replica },
  { head: 'Share', cell: ({ share: part }) => share(part) },
  { head: 'Succeeded', cell: ({ succeeded }) => count(succeeded) },
  { head: 'Failed', cell: ({ failed }) => count(failed) },
  { head: 'p50', cell: ({ latencyMs }) => ms(latencyMs.p50) },
  { head: 'p95', cell: ({ latencyMs }) => ms(latencyMs.p95) },
  { head: 'p99', cell: ({ latencyMs }) => ms(latencyMs.p99) },
  { head: 'Sessions', cell: ({ sessions }) => count(sessions.answered) },
  { head: 'Opened', cell: ({ sessions }) => count(sessions.opened) },
  { head: 'Moved here', cell: ({ sessions }) => count(sessions.movedHere) },
  { head: 'Not known', cell: ({ sessions }) => bad(sessions.unknown, true) },
];

function bad(value: number, matters: boolean): Markup | string {
  return value > 0 && matters ? html`<span class="bad">${count(value)}</span>` : count(value);
}
