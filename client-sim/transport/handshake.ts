import type { DrawnRules } from '../mcp/expectation.js';
import { describe, isObject } from '../mcp/json-value.js';
import { violation } from '../mcp/judge-message.js';
import { type ClientInfo, LEGACY_REVISIONS } from '../mcp/revisions.js';
import { scanAnswer } from '../mcp/scan-answer.js';
import type { Failure, Problem } from '../measure/failure.js';
import { type Control, type ControlAnswer, messageIn } from './control.js';
import { inWords, judgeHttp } from './judge-http.js';
import type { RequestKind } from './request-head.js';

/** The session era's handshake (2025-11-25, Lifecycle): its messages, and what is read from their answers. */

export function initializeRequest(version: string, clientInfo: ClientInfo, id: number): string {
  const params = {
    protocolVersion: version,
    capabilities: {},
    clientInfo: { name: clientInfo.name, version: clientInfo.version },
  };
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'initialize', params });
}

export const INITIALIZED_NOTIFICATION = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

export type InitializeOutcome =
  | { readonly kind: 'initialized'; readonly result: InitializeResult }
  /** The server gave another answer than it had to. */
  | { readonly kind: 'refused'; readonly problem: Problem; readonly body: string; readonly answer: ControlAnswer }
  /** There was no answer. */
  | { readonly kind: 'failed'; readonly failure: Failure };

/**
 * The session era's handshake on one connection: `initialize`, then `notifications/initialized`. The server must accept
 * both.
 */
export function initialize(
  send: (kind: RequestKind, body: string, control: Control) => void,
  version: string,
  { clientInfo, id }: { readonly clientInfo: ClientInfo; readonly id: number },
  done: (outcome: InitializeOutcome) => void,
): void {
  const request = initializeRequest(version, clientInfo, id);
  const confirm = (result: InitializeResult): void =>
    send({ verb: 'POST', sessionId: result.sessionId, version: result.version }, INITIALIZED_NOTIFICATION, {
      id: undefined,
      done(outcome) {
        if (outcome.kind === 'failed') return done(outcome);
        const problem = judgeInitialized(outcome.answer);
        if (problem === undefined) done({ kind: 'initialized', result });
        else done({ kind: 'refused', problem, body: INITIALIZED_NOTIFICATION, answer: outcome.answer });
      },
    });
  send({ verb: 'POST' }, request, {
    id,
    done(outcome) {
      if (outcome.kind === 'failed') return done(outcome);
      const read = readInitializeResult(outcome.answer, id);
      if (read.ok) confirm(read.result);
      else done({ kind: 'refused', problem: read.problem, body: request, answer: outcome.answer });
    },
  });
}

export interface InitializeResult {
  /** The version that the server chose; one of LEGACY_REVISIONS. */
  readonly version: string;
  /** Undefined: the server keeps no sessions. */
  readonly sessionId: string | undefined;
  readonly serverInfo: { readonly name: string; readonly version: string } | undefined;
}

type InitializeRead =
  | { readonly ok: true; readonly result: InitializeResult }
  | { readonly ok: false; readonly problem: Problem };

export function readInitializeResult(answer: ControlAnswer, id: number): InitializeRead {
  const problem = judgeControl(answer, id, 'legacy');
  if (problem !== undefined) return { ok: false, problem };
  const result = resultOf(answer);
  const version = result.protocolVersion;
  if (typeof version !== 'string' || !(LEGACY_REVISIONS as readonly string[]).includes(version)) {
    return {
      ok: false,
      problem: violation(
        `the server chose protocol version ${describe(version)}, which this client does not know ` +
          `(${LEGACY_REVISIONS.join(', ')})`,
      ),
    };
  }
  if (!/^[\x21-\x7e]*$/.test(answer.sessionId))
    return { ok: false, problem: violation('mcp-session-id holds characters other than visible ASCII') };
  return {
    ok: true,
    result: {
      version,
      sessionId: answer.sessionId === '' ? undefined : answer.sessionId,
      serverInfo: serverInfoOf(result.serverInfo),
    },
  };
}

/** Judges the answer to `notifications/initialized`. */
export function judgeInitialized(answer: ControlAnswer): Problem | undefined {
  const { status } = answer;
  if (status >= 200 && status < 300) return undefined;
  const detail = `HTTP ${status} to notifications/initialized, where 202 was due${inWords(answer)}`;
  return { category: `http_${status}`, detail };
}

/** Judges the answer to a control request like any other. */
export function judgeControl(
  answer: ControlAnswer,
  id: number,
  era: 'legacy' | 'modern',
  hasSession = false,
  rules?: DrawnRules,
): Problem | undefined {
  const body = Buffer.from(answer.body, 'utf8');
  if (answer.mediaType !== 'event-stream' || answer.status >= 300)
    return judgeHttp(answer, body, 0, body.length, { id, era, hasSession, turn: 0, rules });
  if (body.length === 0) return { category: 'stream_lost', detail: 'the event stream ended without the answer' };
  return scanAnswer(body, 0, body.length, id, 0, rules);
}

/** `result` of an answer that was judged correct. */
export function resultOf(answer: ControlAnswer): Record<string, unknown> {
  const message = messageIn(answer);
  return isObject(message?.result) ? message.result : {};
}

export function serverInfoOf(value: unknown): InitializeResult['serverInfo'] {
  if (!isObject(value) || typeof value.name !== 'string' || typeof value.version !== 'string') return undefined;
  return { name: value.name, version: value.version };
}
