import { formatAs, significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { figure } from '../../svg/figure.js';
import { px, widths } from '../../svg/frame.js';
import type { Affinity } from './schema.js';

const { full: width } = widths;
const left = 190;
const right = 14;
const rowPx = 26;
const barPx = 16;
const letterPx = 6.4;
const mostRows = 20;
const mostReplicas = 16;
/** Replicas share the styles in turn; the gaps between them tell neighbours apart. */
const styles = ['s-main', 's-accent', 's-good', 's-other'] as const;

/** One bar a profile, cut into what each replica answered. */
export function replicaSharesChart({ perProfile, perReplica }: Affinity): Markup {
  const rows = perProfile.filter((profile) => profile.perReplica.length > 0).slice(0, mostRows);
  const names = perReplica.slice(0, mostReplicas).map(({ replica }) => replica);
  const height = rows.length * rowPx + 8;
  const shareOf = (row: (typeof rows)[number], name: string): number =>
    row.perReplica.find(({ replica }) => replica === name)?.share ?? 0;
  return figure({
    id: 'replica-balance',
    title: 'Answers by replica',
    height,
    width,
    description: `One bar for each profile, cut into the shares of ${names.length} replicas. ${rows.map((row) => `${row.profile}: ${names.map((name) => formatAs('ratio', shareOf(row, name))).join(', ')}`).join('. ')}.`,
    caption: html`How evenly the answers of each profile came from the replicas. Even shares say that the load was balanced, not that sessions stayed.`,
    keys: names.map((name, at) => ({ name, style: styleAt(at), shape: 'area' })),
    body: html`${rows.map((row, at) => {
      const y = at * rowPx + 4;
      let from = 0;
      return html`<text class="tick" x="${left - 8}" y="${y + barPx - 4}" text-anchor="end">${fitting(row.profile)}</text>${names.map(
        (name, replica) => {
          const part = shareOf(row, name);
          const [x, to] = [xAt(from), xAt((from += part))];
          return part === 0
            ? ''
            : html`<rect class="fill solid ${styleAt(replica)}" x="${px(x)}" y="${y}" width="${px(Math.max(0.5, to - x - 1))}" height="${barPx}"><title>${row.profile}, ${name}: ${formatAs('ratio', part)}</title></rect>`;
        },
      )}`;
    })}`,
    table: {
      head: ['Profile', ...names],
      rows: rows.map((row) => [row.profile, ...names.map((name) => `${significant(shareOf(row, name) * 100)} %`)]),
      ...(perReplica.length > names.length
        ? { note: `The first ${names.length} of ${perReplica.length} replicas.` }
        : {}),
    },
  });
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
