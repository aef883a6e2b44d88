/** Undoes by hand what runs left behind: the open faults of their journals, and what is found without one. */
import { basename, join } from 'node:path';
import type { FaultPlan } from '../../../scenarios/schema/plan.js';
import { EventHistory, EventLog, readEvents } from '../../log/event-log.js';
import type { EventOf, RunEventBody } from '../../log/events.js';
import { files } from '../../log/run-folder.js';
import type { FaultInjector, FaultSubject, LeftOver } from '../../platform/platform.js';
import { messageOf } from '../../support/error-message.js';
import { isHeld } from './run-lease.js';

const ORDER_MS = 30_000;
const VERIFY_MS = 30_000;

export interface HealedFault {
  readonly runId: string;
  readonly faultId: string;
  readonly kind: string;
  readonly target: string;
  /** Empty: everything is as before. */
  readonly left: readonly LeftOver[];
  /** What showed that. */
  readonly evidence?: string;
}

export type HealedRun =
  /** A controller conducts it, which undoes its faults itself. */
  | { readonly kind: 'on'; readonly runId: string }
  | { readonly kind: 'healed'; readonly runId: string; readonly faults: readonly HealedFault[] };

/**
 * Undoes the faults of a run that began and were not undone, or whose undo left something. Idempotent.
 * @throws ControllerError LOG_CORRUPT
 */
export async function healRun(runFolder: string, injector: FaultInjector): Promise<HealedRun> {
  const runId = basename(runFolder);
  const { events } = await readEvents(join(runFolder, files.events));
  const history = new EventHistory(events);
  const open = openFaults(history);
  if (open.length === 0) return { kind: 'healed', runId, faults: [] };
  if (await isHeld(runFolder)) return { kind: 'on', runId };
  const faults: HealedFault[] = [];
  for (const { started, fault } of open) {
    const subject: FaultSubject = {
      description: started.target,
      replicas: started.replicas ?? [],
      before: started.before,
      runFolder,
    };
    const result = await healFault(injector, fault, subject, `swarmbench heal ${runId}`);
    faults.push({ runId, faultId: fault.id, kind: fault.kind, target: started.target, ...result });
  }
  // What has a verdict is not changed any more.
  if (history.last('run.finished') === undefined) await note(runFolder, faults);
  return { kind: 'healed', runId, faults };
}

interface OpenFault {
  readonly started: EventOf<'fault.started'>;
  readonly fault: FaultPlan;
}

function openFaults(history: EventHistory): readonly OpenFault[] {
  const plan = history.last('run.created')?.plan;
  const having = (type: 'fault.undone' | 'fault.left', id: string): boolean =>
    history.all(type).some(({ faultId }) => faultId === id);
  return history.all('fault.started').flatMap((started) => {
    const { faultId } = started;
    const fault = plan?.faults.find(({ id }) => id === faultId);
    const refused = history.all('fault.ordered').some((one) => one.faultId === faultId && one.outcome === 'refused');
    const clean = having('fault.undone', faultId) && !having('fault.left', faultId);
    return fault === undefined || refused || clean ? [] : [{ started, fault }];
  });
}

async function healFault(
  injector: FaultInjector,
  fault: FaultPlan,
  subject: FaultSubject,
  mend: string,
): Promise<Pick<HealedFault, 'left' | 'evidence'>> {
  try {
    await injector.undo(fault, subject, AbortSignal.timeout(ORDER_MS)).catch((error: unknown) => {
      if (injector.undoByForce === undefined) throw error;
      return injector.undoByForce(fault, subject, AbortSignal.timeout(ORDER_MS));
    });
    const effect = await injector.waitForEffect(fault, subject, 'undone', AbortSignal.timeout(VERIFY_MS));
    if (effect.settled) return { left: [], ...(effect.evidence === undefined ? {} : { evidence: effect.evidence }) };
    return { left: effect.left ?? [{ what: 'nothing showed that everything is as before', mend }] };
  } catch (error) {
    return { left: [{ what: messageOf(error), mend }] };
  }
}

async function note(runFolder: string, faults: readonly HealedFault[]): Promise<void> {
  const { log } = await EventLog.reopen(join(runFolder, files.events), Date.now);
  for (const { faultId, left } of faults) {
    const body: RunEventBody[] =
      left.length === 0
        ? [{ type: 'fault.undone', faultId }]
        : left.map(({ what, mend }) => ({ type: 'fault.left', faultId, what, mend }));
    for (const one of body) log.append(one);
  }
  log.close();
}
