/** What a session costs the target in memory, stage by stage. */
import type { Aggregate } from '../analysis/contract.js';
import { sessionMemory } from '../analysis/session-memory.js';
import { takesPart } from '../../scenarios/schema/load.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import type { Report } from './schema.js';

type Row = Report['memory'][number];

/** Sessions have to come or go for a row to say anything. */
const leastSessions = 10;

export const memoryBlock = (plan: Plan, aggregate: Aggregate): Report['memory'] =>
  plan.stages.filter(({ measured }) => measured).flatMap((stage) => {
    const profiles = plan.profiles.filter(({ name }) => takesPart(stage, name));
    const how = [...new Set(profiles.map(({ onClose }) => onClose))].join(', ');
    return (['open', 'opened'] as const).flatMap((against): Row[] => {
      const { samples, fromSessions, toSessions, ...found } = sessionMemory(plan, aggregate, [stage.index], against);
      if (toSessions - fromSessions < leastSessions) return [];
      const about = { stage: stage.name, trial: stage.trial, how, against, fromSessions, toSessions, samples };
      if (found.kind === 'none') return [{ ...about, bytesPerSession: null, low: null, high: null, r2: null, why: found.why }];
      const { slope, low, high, r2 } = found.bytes;
      return [{ ...about, bytesPerSession: slope, low, high, r2 }];
    });
  });
