import type { Report } from '../schema.js';
import type { TimeContext } from '../svg/frame.js';

/** What every chart over run time shows: the stages, the numbered events, and the faults. */
export function timeContext(report: Report): TimeContext {
  const { stages, events, faults } = report;
  const endSeconds = secondsShown(report);
  return {
    endSeconds,
    bands: stages.map(({ name, measured, startSeconds, durationSeconds }) => ({
      name,
      measured,
      from: startSeconds,
      to: startSeconds + durationSeconds,
    })),
    marks: events.flatMap(({ t, text }, at) => (t === null ? [] : [{ x: t, number: at + 1, text }])),
    shades: faults.flatMap(({ id, kind, target, atSeconds, undoneAtSeconds }) =>
      atSeconds === null
        ? []
        : [{ from: atSeconds, to: undoneAtSeconds ?? endSeconds, text: `fault ${id} (${kind}): ${target}` }],
    ),
  };
}

/** Without the quiet seconds of the drain, which would look as if the target had stopped. */
function secondsShown({ timeline, stages }: Report): number {
  const planned = stages.reduce(
    (end, { startSeconds, durationSeconds }) => Math.max(end, startSeconds + durationSeconds),
    0,
  );
  const busy = timeline.findLast(({ sent, succeeded, failed, lost }) => sent + succeeded + failed + lost > 0)?.t ?? 0;
  return Math.max(1, Math.ceil(planned - 0.1), busy + 1);
}
