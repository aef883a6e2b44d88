import type { RunEvent, Verdict } from '../../log/events.js';

/** Of a run (design: measurement); usage errors (2) are the command line's. */
export type RunExitCode = 0 | 1 | 3 | 4 | 99 | 130;

export function exitCodeOf(verdict: Verdict, events: Iterable<RunEvent>): RunExitCode {
  switch (verdict.kind) {
    case 'passed':
      return 0;
    case 'failed':
      return 99;
    case 'invalid':
      return 4;
    case 'incomplete':
      return incompleteCode(events);
  }
}

function incompleteCode(events: Iterable<RunEvent>): RunExitCode {
  let code: RunExitCode = 4;
  for (const event of events) {
    if (event.type === 'stop.requested' && event.reason === 'interrupt') return 130;
    if (event.type === 'preflight.failed') code = 3;
    if (event.type === 'run.failed' && code === 4) code = codeOfFailure(event.code);
  }
  return code;
}

/**
 * By the controller's stable codes: what never got as far as a target that answers, what is a fault of ours, the rest.
 */
function codeOfFailure(code: string): RunExitCode {
  return /^(preflight|deploy|target|docker)/i.test(code) ? 3 : code === 'INTERNAL' ? 1 : 4;
}
