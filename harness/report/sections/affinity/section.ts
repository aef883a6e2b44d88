import { formatAs, plural, significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { count, ms, share } from '../../values.js';
import type { ReportSection } from '../report-section.js';
import { type Affinity, buildAffinity, type ProfileAffinity, type ReplicaPart, schema } from './build.js';
import { replicaSharesChart } from './replica-shares-chart.js';

const mostInMarkdown = 20;

/** Which replica answered what, and how the sessions fared that moved from one replica to another. */
export const affinity = {
  id: 'affinity',
  title: 'Affinity',
  needsLoad: true,
  schema,
  build: (input) => ({ affinity: buildAffinity(input) }),
  when: ({ affinity: all }) => all !== null,
  html: ({ affinity: all }) => (all === null ? html`` : page(all)),
  /** Only with several replicas, or with a session that one did not know. */
  markdown: ({ affinity: all }) =>
    all === null || (all.perReplica.length < 2 && all.unknown === 0) ? '' : tables(all),
} satisfies ReportSection<typeof schema>;

function page(all: Affinity): Markup {
  return html`<p>${summaryText(all)}</p>
<div class="stack">
${all.perReplica.length < 2 ? '' : replicaSharesChart(all)}
${table<ProfileAffinity>('By profile, measured stages', profileColumns(all.perProfile), all.perProfile)}
${table<ReplicaPart>('By replica, measured stages', replicaColumns, all.perReplica)}
</div>`;
}

function summaryText({ sessions, moved, unknown, unattributed, perReplica }: Affinity): string {
  return [
    `${plural(perReplica.length, 'replica')} answered ${plural(sessions, 'session')}.`,
    moved === 0
      ? 'None moved.'
      : `${count(moved)} moved: an answer came from a different replica than the answer before it.`,
    unknown === 0 ? '' : `${count(unknown)} times a replica did not know the session.`,
    unattributed === 0 ? '' : `The replica of ${count(unattributed)} operations is not known.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function profileColumns(profiles: readonly ProfileAffinity[]): readonly Column<ProfileAffinity>[] {
  return [
    { head: 'Profile', cell: ({ profile }) => profile },
    ...(profiles.some(({ sticky }) => sticky !== null)
      ? [{ head: 'Sticky', cell: ({ sticky }: ProfileAffinity) => sticky ?? '–', text: true }]
      : []),
    { head: 'Era', cell: ({ era }) => era ?? '–', text: true },
    { head: 'Sessions', cell: ({ sessions }) => count(sessions) },
    { head: 'Moved', cell: ({ moved, era }) => bad(moved, era === 'legacy') },
    { head: 'Moves', cell: ({ moves }) => count(moves) },
    { head: 'Session unknown', cell: ({ unknown }) => bad(unknown, true) },
    { head: 'Lost', cell: ({ lost }) => bad(lost, true) },
    { head: 'Not opened', cell: ({ refused }) => bad(refused, true) },
    { head: 'Succeeded', cell: ({ succeeded }) => count(succeeded) },
    { head: 'Failed', cell: ({ failed }) => count(failed) },
    { head: 'Errors', cell: ({ errorRate }) => share(errorRate) },
    { head: 'p95', cell: ({ latencyMs }) => ms(latencyMs.p95) },
  ];
}

const replicaColumns: readonly Column<ReplicaPart>[] = [
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
  { head: 'Session unknown', cell: ({ sessions }) => bad(sessions.unknown, true) },
];

function bad(value: number, matters: boolean): Markup | string {
  return value > 0 && matters ? html`<span class="bad">${count(value)}</span>` : count(value);
}

function tables({ perProfile, perReplica }: Affinity): string {
  const profiles = markdown.table(
    ['Profile', 'Sticky', 'Era', 'Sessions', 'Moved', 'Session unknown', 'Lost', 'Not opened', 'Errors', 'p95'],
    perProfile.map((one) => [
      markdown.text(one.profile),
      one.sticky ?? '–',
      one.era ?? '–',
      significant(one.sessions),
      significant(one.moved),
      significant(one.unknown),
      significant(one.lost),
      significant(one.refused),
      share(one.errorRate),
      ms(one.latencyMs.p95),
    ]),
  );
  const replicas = markdown.table(
    ['Replica', 'Share', 'Succeeded', 'Failed', 'Sessions', 'Moved here', 'p95'],
    perReplica
      .slice(0, mostInMarkdown)
      .map(({ replica, share: part, succeeded, failed, sessions, latencyMs }) => [
        markdown.text(replica),
        formatAs('ratio', part),
        significant(succeeded),
        significant(failed),
        significant(sessions.answered),
        significant(sessions.movedHere),
        ms(latencyMs.p95),
      ]),
  );
  return `${profiles}\n\n${replicas}`;
}
