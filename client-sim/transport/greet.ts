import type { Problem } from '../mcp/judge-message.js';
import type { ClientInfo } from '../mcp/revisions.js';
import type { Failure } from '../measure/failure.js';
import {
  type Greeting,
  INITIALIZE_ID,
  INITIALIZED_NOTIFICATION,
  initializeRequest,
  judgeAccepted,
  readGreeting,
} from './handshake.js';
import type { Control, ControlAnswer } from './http/control.js';
import type { RequestKind } from './request-head.js';

export type GreetOutcome =
  | { readonly kind: 'greeted'; readonly greeting: Greeting }
  /** The server answered something else than it had to. */
  | { readonly kind: 'refused'; readonly problem: Problem; readonly body: string; readonly answer: ControlAnswer }
  /** There was no answer. */
  | { readonly kind: 'failed'; readonly failure: Failure };

/**
 * The session era's handshake on one connection: `initialize`, then `notifications/initialized`; both must have been
 * accepted.
 */
export function greet(
  send: (kind: RequestKind, body: string, control: Control) => void,
  version: string,
  clientInfo: ClientInfo,
  done: (outcome: GreetOutcome) => void,
): void {
  const hello = initializeRequest(version, clientInfo);
  const confirm = (greeting: Greeting): void =>
    send({ verb: 'POST', sessionId: greeting.sessionId, version: greeting.version }, INITIALIZED_NOTIFICATION, {
      id: undefined,
      done(outcome) {
        if (outcome.kind === 'failed') return done(outcome);
        const problem = judgeAccepted(outcome.answer);
        if (problem === undefined) done({ kind: 'greeted', greeting });
        else done({ kind: 'refused', problem, body: INITIALIZED_NOTIFICATION, answer: outcome.answer });
      },
    });
  send({ verb: 'POST' }, hello, {
    id: INITIALIZE_ID,
    done(outcome) {
      if (outcome.kind === 'failed') return done(outcome);
      const result = readGreeting(outcome.answer);
      if (result.ok) confirm(result.greeting);
      else done({ kind: 'refused', problem: result.problem, body: hello, answer: outcome.answer });
    },
  });
}
