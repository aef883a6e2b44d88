import { formatAs, significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { figure } from '../../svg/figure.js';
import { px, widths } from '../../svg/frame.js';
import type { Affinity, ProfileAffinity } from './build.js';

const { full: width } = widths;
const left = 190;
const right = 14;
const rowPx = 26;
const barPx = 16;
const letterPx = 6.4;
const mostRows = 20;
const mostReplicas = 16;
/** With more replicas than styles, the gaps between them separate neighbours. */
const styles = ['s-main', 's-accent', 's-good', 's-other'] as const;

/** One bar for each profile, divided into what each replica answered. */
export function replicaSharesChart({ perProfile, perReplica }: Affinity): Markup {
  const rows = perProfile.filter((profile) => profile.perReplica.length > 0).slice(0, mostRows);
  const names = perReplica.slice(0, mostReplicas).map(({ replica }) => replica);
  const percents = (row: ProfileAffinity): string =>
    names.map((name) => formatAs('ratio', shareOf(row, name))).join(', ');
  const height = rows.length * rowPx + 8;
  return figure({
    id: 'replica-balance',
    title: 'Answers by replica',
    height,
    width,
    description:
      `One bar for each profile, divided into the shares of ${names.length} replicas. ` +
      `${rows.map((row) => `${row.profile}: ${percents(row)}`).join('. ')}.`,
    caption:
      'The share of each replica in the answers of a profile. ' +
      'Even shares mean that the load was balanced, not that sessions stayed on their replica.',
    keys: names.map((name, at) => ({ name, style: styleAt(at), shape: 'area' })),
    body: html`${rows.map((row, at) => bar(row, names, at * rowPx + 4))}`,
    table: {
      head: ['Profile', ...names],
      rows: rows.map((row) => [row.profile, ...names.map((name) => `${significant(shareOf(row, name) * 100)} %`)]),
      ...(perReplica.length > names.length
        ? { note: `The first ${names.length} of ${perReplica.length} replicas.` }
        : {}),
    },
  });
}

function shareOf({ perReplica }: ProfileAffinity, name: string): number {
  return perReplica.find(({ replica }) => replica === name)?.share ?? 0;
}

function bar(row: ProfileAffinity, names: readonly string[], y: number): Markup {
  let from = 0;
  const parts = names.map((name, replica) => {
    const share = shareOf(row, name);
    const [x, to] = [xAt(from), xAt((from += share))];
    const title = `${row.profile}, ${name}: ${formatAs('ratio', share)}`;
    return share === 0
      ? ''
      : html`<rect class="fill solid ${styleAt(replica)}" x="${px(x)}" y="${y}"
  width="${px(Math.max(0.5, to - x - 1))}" height="${barPx}"><title>${title}</title></rect>`;
  });
  return html`<text class="tick" x="${left - 8}" y="${y + barPx - 4}" text-anchor="end">${fitting(row.profile)}</text>
${parts}`;
}

function xAt(share: number): number {
  return left + share * (width - left - right);
}

function styleAt(replica: number): string {
  return styles[replica % styles.length] ?? 's-main';
}

function fitting(name: string): string {
  const room = Math.floor((left - 12) / letterPx);
  return name.length <= room ? name : `${name.slice(0, room - 1)}…`;
}
