import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import type { TransportName } from '../../scenarios/schema/transports.js';
import { subscriptionUri } from '../mcp/compile-request.js';
import type { Failure } from '../measure/failure.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import type { StreamControl, StreamListener } from '../transport/channel.js';
import { addressOf } from '../transport/socket/socket.js';
import { type ListeningHost, ListeningStream } from '../transport/stream/listening-stream.js';
import { transportMap } from '../transports.js';
import { type PreflightSession, preflightShared } from './preflight-session.js';

/** An open session, and what to try over its endpoint. */
export interface StreamAttempt {
  readonly session: PreflightSession;
  readonly transport: TransportName;
  readonly endpoint: Endpoint;
  readonly pinned: PinnedProtocol;
  readonly seed: number;
  readonly profiles: readonly ProfilePlan[];
  readonly timeoutMs: number;
}

/**
 * Opens the stream of each profile that listens and makes the subscriptions of its first client, with the same code as
 * the load. Records the outcome in the session. @returns what is wrong, if anything
 */
export async function tryStreams(attempt: StreamAttempt): Promise<string | undefined> {
  const { session, transport, pinned, seed } = attempt;
  for (const profile of attempt.profiles) {
    if (profile.stream === undefined) continue;
    const subscriptions = profile.operations.filter(({ method }) => method === 'resources/subscribe');
    const uris = subscriptions.map((operation) => subscriptionUri(operation, { seed, slot: profile.firstSlot }));
    if (uris.length === 0 && pinned.era === 'modern') {
      return (
        `profile ${profile.name}: in the stateless era (MCP ${pinned.version}) that this server speaks ` +
        'there is no stream without a subscription. Add a subscription, or set `era: legacy`.'
      );
    }
    const startedAt = performance.now();
    const failure =
      transport === 'streamable-http' ? await tryListeningStream(attempt, uris) : await trySessionStream(attempt, uris);
    const step = `stream: ${uris.length === 0 ? 'no subscription' : uris.join(' ')}`;
    session.exchanges.push({
      step,
      request: '(a stream and its subscriptions)',
      response: failure === undefined ? '(listening)' : '(not listening)',
      durationMs: performance.now() - startedAt,
      ok: failure === undefined,
      ...(failure === undefined ? {} : { problem: `${failure.category}: ${failure.detail}` }),
    });
    if (failure !== undefined) {
      const offer = uris.length === 0 ? 'streams' : 'streams and subscriptions';
      const problem = `its stream failed with ${failure.category}: ${failure.detail}`;
      return `profile ${profile.name}: ${problem}. Does this server offer ${offer}?`;
    }
  }
  return undefined;
}

/** Over the other transports, what the server sends on its own comes on the session's link: this opens a session. */
function trySessionStream(attempt: StreamAttempt, uris: readonly string[]): Promise<Failure | undefined> {
  const { transport, endpoint, pinned, timeoutMs } = attempt;
  return firstOutcome(timeoutMs, 'no session with a subscription', (settle) => {
    const listener = subscribingListener(uris, settle, (control) => {
      control.start();
      if (uris.length === 0) settle(undefined);
    });
    const channel = transportMap[transport].createChannel(
      { endpoint, pinned, connections: 1, pipeline: 1, listener, openTimeoutMs: timeoutMs },
      {
        onOpen: () => undefined,
        onOpenFailed: settle,
        onAnswer: () => undefined,
        onRoom: () => undefined,
        onClosed: () =>
          settle({
            category: 'stream_lost',
            detail: 'the server ended the session before it confirmed a subscription',
          }),
      },
      preflightShared(),
    );
    channel.open();
    // The channel must not be destroyed within one of its own calls.
    return () => queueMicrotask(() => channel.destroy());
  });
}

const POLL_MS = 10;

/** Over streamable HTTP. Ends with the answer to the first subscription; if there is none, when the stream opens. */
function tryListeningStream(attempt: StreamAttempt, uris: readonly string[]): Promise<Failure | undefined> {
  const { endpoint, pinned, session, timeoutMs } = attempt;
  return firstOutcome(timeoutMs, 'no stream and no subscription', (settle) => {
    const shared = preflightShared();
    const listener = subscribingListener(uris, settle, (control) => control.start());
    const sessionHeaders = (): { sessionId: string | undefined; version: string } => ({
      sessionId: session.sessionId,
      version: session.protocol.version,
    });
    const host: ListeningHost = {
      era: pinned.era,
      hasSession: session.sessionId !== undefined,
      endpoint,
      address: addressOf(endpoint),
      sessionHeaders,
      request: (body, id, done) => {
        void session
          .raw('resources/subscribe', { verb: 'POST', ...sessionHeaders() }, body, id, () => undefined)
          .then(({ answer, failure }) => {
            done(
              answer === undefined
                ? { kind: 'failed', failure: failure ?? { category: 'stream_lost', detail: 'no answer' } }
                : { kind: 'answered', answer },
            );
          });
      },
      onServerRequest: () => undefined,
      onSessionLost: (problem) => settle(problem),
    };
    const stream = new ListeningStream(host, listener, shared, { timeoutMs });
    const poll = setInterval(() => {
      if (uris.length > 0) return;
      if (shared.counters.streams.opened > 0) settle(undefined);
      if (stream.refusal !== undefined) settle(stream.refusal);
    }, POLL_MS);
    listener.onReady(stream);
    return () => {
      clearInterval(poll);
      stream.end();
    };
  });
}

/**
 * Waits for the first outcome, or for the timeout.
 * @param start takes the callback for the outcome; returns how to end what it started
 */
function firstOutcome(
  timeoutMs: number,
  missing: string,
  start: (settle: (failure: Failure | undefined) => void) => () => void,
): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    let end: (() => void) | undefined;
    let settled = false;
    const settle = (failure: Failure | undefined): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      end?.();
      resolve(failure);
    };
    const detail = `${missing} within ${timeoutMs} ms`;
    const timer = setTimeout(() => settle({ category: 'timeout', detail }), timeoutMs);
    end = start(settle);
    // It may have been settled within `start`.
    if (settled) end();
  });
}

/** Reports the first subscription that is confirmed or refused. */
function subscribingListener(
  uris: readonly string[],
  settle: (failure: Failure | undefined) => void,
  onReady: (control: StreamControl) => void,
): StreamListener {
  return {
    uris,
    resume: false,
    onReady,
    onSubscribing: () => undefined,
    onSubscribed: (_index, failure) => settle(failure),
    onUpdate: () => undefined,
    onSessionEnd: () => undefined,
  };
}
