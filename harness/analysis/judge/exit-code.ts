import type { RunEvent, Verdict } from '../../log/events.js';

/** The exit code of a run; the command line adds 2 for usage errors. */
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

/** By the controller's stable error codes: 3 when no target answered, 1 for a bug of ours, 4 for the rest. */
function codeOfFailure(code: string): RunExitCode {
  if (/^(preflight|deploy|target|docker)/i.test(code)) return 3;
  return code === 'INTERNAL' ? 1 : 4;
}
