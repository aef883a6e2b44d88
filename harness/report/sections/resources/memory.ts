import { takesPart } from '../../../../scenarios/schema/offered-load.js';
import type { Plan, StagePlan } from '../../../../scenarios/schema/plan.js';
import type { Aggregate } from '../../../analysis/merge/contract.js';
import { memoryReturn, type SessionMemory, sessionMemory } from '../../../analysis/statistics/session-memory.js';
import type { Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import type { Report } from '../../schema.js';
import { bytes, count, duration, share } from '../../values.js';

/** What a session costs the target in memory, stage by stage. */

type Row = Report['memory'][number];

/** Sessions have to come or go for a row to say anything. */
const leastSessions = 10;

export function memoryBlock(plan: Plan, aggregate: Aggregate): Report['memory'] {
  return plan.stages
    .filter(({ measured }) => measured)
    .flatMap((stage): Row[] => {
      const profiles = plan.profiles.filter(({ name }) => takesPart(stage, name));
      const how = [...new Set(profiles.map(({ onClose }) => onClose))].join(', ');
      const [open, opened] = [
        sessionMemory(plan, aggregate, [stage.index], 'open'),
        sessionMemory(plan, aggregate, [stage.index], 'opened'),
      ];
      // Sessions that stay are told by those that are open, sessions that come and go by those that ever were.
      const against: Row['against'] = grown(open) > grown(opened) / 2 ? 'open' : 'opened';
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
        givenBack: givenBack(plan, aggregate, stage),
      };
      if (found.kind === 'none')
        return [{ ...about, bytesPerSession: null, low: null, high: null, r2: null, why: found.why } satisfies Row];
      const { slope, low, high, r2 } = found.bytes;
      return [{ ...about, bytesPerSession: slope, low, high, r2 } satisfies Row];
    });
}

function grown({ fromSessions, toSessions }: SessionMemory): number {
  return toSessions - fromSessions;
}

function givenBack(plan: Plan, aggregate: Aggregate, stage: StagePlan): Row['givenBack'] {
  const found = memoryReturn(plan, aggregate, stage);
  return found === undefined ? null : { ...found, share: found.share ?? null };
}

type MemoryRow = Report['memory'][number];
const counted = { open: 'a session held open', opened: 'a session ever opened' } as const;

/** Nothing where no sessions came or went. */
export function memoryTable({ memory, stages }: Report): Markup | string {
  return memory.length === 0
    ? ''
    : table<MemoryRow>(
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
              givenBack === null ? '–' : `${bytes(givenBack.afterBytes)} (${duration(givenBack.restSeconds)})`,
          },
          { head: 'Given back', cell: ({ givenBack }) => share(givenBack?.share ?? null) },
          { head: '', cell: ({ why }) => why ?? '', text: true },
        ],
        memory,
      );
}
