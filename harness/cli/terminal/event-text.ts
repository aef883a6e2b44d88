/** What a run's events mean to somebody who watches it. */
import { formatAs, unitOf } from '../../analysis/format.js';
import type { RunEvent } from '../../log/events.js';
import { duration } from './quantity.js';

/** What is going on from this event on; undefined when it changes nothing. */
export function phaseOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'controller.listening':
      return 'starting target and workers';
    case 'preflight.started':
      return 'preflight: a session against the target';
    case 'run.started':
      return 'handing out the load';
    case 'run.draining':
      return 'waiting for the last answers';
    case 'stop.requested':
      return event.mode === 'now' ? 'stopping now' : 'stopping';
    case 'run.analysing':
      return 'writing the report';
    default:
      return undefined;
  }
}

/** What deserves a line that stays. */
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
      const culprit = event.exchanges.findLast(({ ok }) => !ok);
      return culprit === undefined
        ? undefined
        : `preflight failed at ${culprit.step}; it sent\n${shown(culprit.request)}\nand got\n${shown(culprit.response)}`;
    }
    case 'worker.saturated':
      return `worker ${event.workerId} is saturated: ${event.reason}`;
    case 'worker.recovered':
      return `worker ${event.workerId} is fit again`;
    case 'worker.lost':
      return `worker ${event.workerId} is lost, not heard of for ${duration(event.silentMs)} (onWorkerLoss: ${event.policy})`;
    case 'slots.moved':
      return `the clients of worker ${event.from} move to worker ${event.to}`;
    case 'load.adjusted':
      return `load adjusted to ${formatAs('ratio', event.load)}${event.profile === undefined ? '' : ` for ${event.profile}`}`;
    case 'threshold.broken':
      return `threshold broken: ${event.check}, is ${formatAs(unitOf(metricOf(event.check)), event.actual)}${event.abort ? '; the run ends for it' : ''}`;
    case 'fault.started':
      return `fault ${event.faultId} (${event.kind}): ${event.target}`;
    case 'fault.settled':
      return event.phase === 'injected'
        ? `fault ${event.faultId} is in effect`
        : `fault ${event.faultId} is undone, everything is as before it`;
    case 'fault.ended':
      return `fault ${event.faultId} ends${event.reason === 'time' ? '' : ' with the run'}`;
    case 'fault.failed':
      return `fault ${event.faultId} could not be ${event.phase === 'injected' ? 'made' : 'undone'}: ${event.problem}`;
    case 'stop.requested':
      return event.reason === 'interrupt' ? undefined : `stopping: ${event.detail}`;
    default:
      return undefined;
  }
}

/** Enough of a message to see what is wrong with it; the whole is in the report. */
function shown(text: string): string {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => `    ${line.length > 200 ? `${line.slice(0, 200)} ...` : line}`);
  if (lines[0]?.trim() === '') return '    nothing';
  return [...lines.slice(0, 12), ...(lines.length > 12 ? ['    ...'] : [])].join('\n');
}

/** `latency.p95{stage="a"} < 1s` is about `latency.p95`. */
function metricOf(check: string): string {
  return /^[\w.]+/.exec(check)?.[0] ?? '';
}
