/** The events of a run as text for the terminal. */
import { faultText } from '../../analysis/facts/fault-records.js';
import { formatAs, unitOf } from '../../analysis/format.js';
import type { RunEvent } from '../../log/events.js';
import { duration } from './quantity.js';

/** The activity that begins with this event; undefined when none does. */
export function phaseOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'controller.listening':
      return 'starting target and workers';
    case 'preflight.started':
      return 'preflight: opening a session with the target';
    case 'run.started':
      return 'starting the load';
    case 'run.draining':
      return 'waiting for the last answers';
    case 'stop.requested':
      return event.mode === 'now' ? 'stopping now' : 'stopping';
    case 'run.analysing':
      return 'writing the report';
    // The report and the end of what was started are on their way side by side.
    case 'run.finished':
      return 'writing the report, and ending target and workers';
    default:
      return undefined;
  }
}

/** A line that stays; undefined when the event is not worth one. */
export function noteOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'preflight.passed': {
      const { pinned, serverInfo, exchanges } = event;
      const remarks = [
        ...new Set(
          exchanges.flatMap(({ step, ok, problem }) =>
            ok && problem !== undefined ? [`\n  ${step}: ${problem}`] : [],
          ),
        ),
      ];
      const server = serverInfo === undefined ? 'the target' : `${serverInfo.name} ${serverInfo.version}`;
      return `preflight: ${server} answers, ${pinned.era} era (${pinned.version})${remarks.join('')}`;
    }
    case 'preflight.failed': {
      const failed = event.exchanges.findLast(({ ok }) => !ok);
      if (failed === undefined) return undefined;
      const { step, request, response } = failed;
      return `preflight failed at ${step}; it sent\n${shown(request)}\nand got\n${shown(response)}`;
    }
    case 'worker.saturated':
      return `worker ${event.workerId} is saturated: ${event.reason}`;
    case 'worker.recovered':
      return `worker ${event.workerId} keeps up again`;
    case 'worker.lost': {
      const silence = `${duration(event.silentMs)} of silence`;
      return `worker ${event.workerId} was lost after ${silence} (onWorkerLoss: ${event.policy})`;
    }
    case 'slots.moved':
      return `the clients of worker ${event.from} moved to worker ${event.to}`;
    case 'load.adjusted': {
      const profile = event.profile === undefined ? '' : ` for ${event.profile}`;
      return `load set to ${formatAs('ratio', event.load)}${profile}`;
    }
    case 'threshold.broken':
      return thresholdText(event.check, event.actual, event.abort);
    case 'noticed':
      return event.text;
    case 'stop.requested':
      return event.reason === 'interrupt' ? undefined : `stopping: ${event.detail}`;
    default:
      return faultText(event);
  }
}

/** Enough of a message to see what is wrong; the report has the whole. */
function shown(text: string): string {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => `    ${line.length > 200 ? `${line.slice(0, 200)} ...` : line}`);
  if (lines[0]?.trim() === '') return '    nothing';
  return [...lines.slice(0, 12), ...(lines.length > 12 ? ['    ...'] : [])].join('\n');
}

function thresholdText(check: string, actual: number, abort: boolean): string {
  const value = formatAs(unitOf(metricOf(check)), actual);
  return `threshold broken: ${check} (was ${value})${abort ? '; it ends the run' : ''}`;
}

/** `latency.p95{stage="a"} < 1s` is about `latency.p95`. */
function metricOf(check: string): string {
  return /^[\w.]+/.exec(check)?.[0] ?? '';
}
