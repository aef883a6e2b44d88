/** What a session costs the target in memory, stage by stage: how it is found, and its tables. */
import { takesPart } from '../../../../scenarios/schema/offered-load.js';
import type { StagePlan } from '../../../../scenarios/schema/plan.js';
import { formatBytes } from '../../../analysis/format.js';
import { memoryReturn, type SessionMemory, sessionMemory } from '../../../analysis/statistics/session-memory.js';
import type { Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { bytes, count, duration, share } from '../../values.js';
import type { StagesData } from '../breakdown/schema.js';
import type { BuildInput } from '../report-section.js';
import type { SessionMemoryRow } from './schema.js';

/** A stage in which fewer sessions came or went has no row. */
const leastSessions = 10;

export function buildSessionMemory(input: BuildInput): SessionMemoryRow[] {
  const { plan, aggregate } = input;
  return plan.stages
    .filter(({ measured }) => measured)
    .flatMap((stage): SessionMemoryRow[] => {
      const profiles = plan.profiles.filter(({ name }) => takesPart(stage, name));
      const how = [...new Set(profiles.map(({ onClose }) => onClose))].join(', ');
      const [open, opened] = [
        sessionMemory(plan, aggregate, [stage.index], 'open'),
        sessionMemory(plan, aggregate, [stage.index], 'opened'),
      ];
      // Where sessions stay, memory follows those that are open; where they come and go, all that were ever opened.
      const against: SessionMemoryRow['against'] = grown(open) > grown(opened) / 2 ? 'open' : 'opened';
      const { samples, fromSessions, toSessions, ...found } = against === 'open' ? open : opened;
      if (toSessions - fromSessions < leastSessions) return [];
      const about = {
        stage: stage.name,
        trial: stage.trial,
        how,
        against,
        fromSessions,
        toSessions,
        samples,
        givenBack: givenBack(input, stage),
      };
      if (found.kind === 'none')
        return [{ ...about, bytesPerSession: null, low: null, high: null, r2: null, why: found.why }];
      const { slope, low, high, r2 } = found.bytes;
      return [{ ...about, bytesPerSession: slope, low, high, r2 }];
    });
}

function grown({ fromSessions, toSessions }: SessionMemory): number {
  return toSessions - fromSessions;
}

function givenBack({ plan, aggregate }: BuildInput, stage: StagePlan): SessionMemoryRow['givenBack'] {
  const found = memoryReturn(plan, aggregate, stage);
  return found === undefined ? null : { ...found, share: found.share ?? null };
}

const basisText = { open: 'sessions held open', opened: 'sessions ever opened' } as const;

export function sessionMemoryTable(rows: readonly SessionMemoryRow[], stages: StagesData['stages']): Markup {
  const severalTrials = stages.some(({ trial }) => trial > 1);
  return table<SessionMemoryRow>(
    'Memory of the target per session: the slope of a line through the samples of each stage',
    [
      { head: 'Stage', cell: ({ stage, trial }) => (severalTrials ? `${stage} (trial ${trial})` : stage) },
      { head: 'Sessions end with', cell: ({ how }) => how, text: true },
      { head: 'Counted', cell: ({ against }) => basisText[against], text: true },
      { head: 'Sessions', cell: ({ fromSessions, toSessions }) => `${count(fromSessions)} to ${count(toSessions)}` },
      { head: 'Memory per session', cell: ({ bytesPerSession }) => bytes(bytesPerSession) },
      { head: '95 % interval', cell: ({ low, high }) => (low === null ? '–' : `${bytes(low)} to ${bytes(high)}`) },
      { head: 'Variation explained', cell: ({ r2 }) => share(r2) },
      { head: 'Samples', cell: ({ samples }) => count(samples) },
      {
        head: 'Memory before → at the end',
        cell: ({ givenBack: back }) => (back === null ? '–' : `${bytes(back.beforeBytes)} → ${bytes(back.endBytes)}`),
      },
      {
        head: 'After a rest',
        cell: ({ givenBack: back }) =>
          back === null ? '–' : `${bytes(back.afterBytes)} (${duration(back.restSeconds)})`,
      },
      { head: 'Given back', cell: ({ givenBack: back }) => share(back?.share ?? null) },
      { head: 'Note', cell: ({ why }) => why ?? '', text: true },
    ],
    rows,
  );
}

export function sessionMemoryMarkdown(rows: readonly SessionMemoryRow[]): string {
  return markdown.table(
    [
      'Stage',
      'Sessions end with',
      'Counted',
      'Memory per session',
      '95 % interval',
      'Variation explained',
      'Before → end → after a rest',
      'Given back',
    ],
    rows.map(({ stage, how, against, bytesPerSession, low, high, r2, why, givenBack: back }) => [
      markdown.text(stage),
      markdown.text(how),
      basisText[against],
      bytesPerSession === null ? `unknown: ${markdown.text(why ?? '')}` : formatBytes(bytesPerSession),
      low === null || high === null ? '–' : `${formatBytes(low)} to ${formatBytes(high)}`,
      share(r2),
      back === null ? '–' : [back.beforeBytes, back.endBytes, back.afterBytes].map(formatBytes).join(' → '),
      share(back?.share ?? null),
    ]),
  );
}
