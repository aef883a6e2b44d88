import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import type { TransportName } from '../../scenarios/schema/transports.js';
import { subscriptionUri } from '../mcp/compile-request.js';
import type { Failure } from '../measure/failure.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import type { StreamControl, StreamListener } from '../transport/channel.js';
import { createEngineWire, createWireCounters, createWireShared } from '../transport/shared.js';
import { addressOf } from '../transport/socket/socket.js';
import { type ListeningHost, ListeningStream } from '../transport/stream/listening-stream.js';
import { transportMap } from '../transports.js';
import type { PreflightSession } from './preflight-session.js';

/**
 * Opens the stream of each profile that listens, and subscribes as its first client will, by the very code the load
 * uses. The outcome is on the session's record. @returns what is wrong, in words
 */
export async function tryStreams(
  session: PreflightSession,
  transport: TransportName,
  endpoint: Endpoint,
  seed: number,
  profiles: readonly ProfilePlan[],
  pinned: PinnedProtocol,
  timeoutMs: number,
): Promise<string | undefined> {
  for (const profile of profiles) {
    if (profile.stream === undefined) continue;
    const subscriptions = profile.operations.filter(({ method }) => method === 'resources/subscribe');
    const uris = subscriptions.map((operation) => subscriptionUri(operation, { seed, slot: profile.firstSlot }));
    if (uris.length === 0 && pinned.era === 'modern') {
      return `profile ${profile.name}: the stateless era (MCP ${pinned.version}) that this server speaks has no stream without a subscription. Give it one, or ask for \`era: legacy\`.`;
    }
    const startedAt = performance.now();
    const failure =
      transport === 'streamable-http'
        ? await tryListeningStream(session, endpoint, pinned, uris, timeoutMs)
        : await trySessionStream(transport, endpoint, pinned, uris, timeoutMs);
    const step = `stream: ${uris.length === 0 ? 'no subscription' : uris.join(' ')}`;
    session.exchanges.push({
      step,
      request: '(a stream and its subscriptions)',
      response: failure === undefined ? '(listening)' : '(not listening)',
      durationMs: performance.now() - startedAt,
      ok: failure === undefined,
      ...(failure === undefined ? {} : { problem: `${failure.category}: ${failure.detail}` }),
    });
    if (failure !== undefined)
      return `profile ${profile.name}: its stream failed with ${failure.category}: ${failure.detail}. Does this server offer streams${uris.length === 0 ? '' : ' and subscriptions'}?`;
  }
  return undefined;
}

/**
 * Over the other transports what the server says comes on the session's own link, so this takes a session of its own.
 */
function trySessionStream(
  transport: TransportName,
  endpoint: Endpoint,
  pinned: PinnedProtocol,
  uris: readonly string[],
  timeoutMs: number,
): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const settle = (failure: Failure | undefined): void => {
      clearTimeout(timer);
      // Not within a call of its own.
      queueMicrotask(() => channel.destroy());
      resolve(failure);
    };
    const timer = setTimeout(
      () => settle({ category: 'timeout', detail: `no session with a subscription within ${timeoutMs} ms` }),
      timeoutMs,
    );
    const listener: StreamListener = {
      uris,
      resume: false,
      onReady: (control) => {
        control.start();
        if (uris.length === 0) settle(undefined);
      },
      onSubscribing: () => undefined,
      onSubscribed: (_index, failure) => settle(failure),
      onUpdate: () => undefined,
      onSessionEnd: () => undefined,
    };
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
            detail: 'the server ended the session before it had taken a subscription',
          }),
      },
      createWireShared(createEngineWire(), createWireCounters()),
    );
    channel.open();
  });
}

/** SessionHeaders by the first subscription that is taken or refused; without any, by the first stream. */
function tryListeningStream(
  session: PreflightSession,
  endpoint: Endpoint,
  pinned: PinnedProtocol,
  uris: readonly string[],
  timeoutMs: number,
): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const shared = createWireShared(createEngineWire(), createWireCounters());
    const settle = (failure: Failure | undefined): void => {
      clearTimeout(timer);
      stream.end();
      resolve(failure);
    };
    const timer = setTimeout(
      () => settle({ category: 'timeout', detail: `no stream and no subscription within ${timeoutMs} ms` }),
      timeoutMs,
    );
    const poll = setInterval(() => {
      if (uris.length === 0 && shared.counters.streams.opened > 0) settle(undefined);
      if (uris.length === 0 && stream.refusal !== undefined) settle(stream.refusal);
    }, 10);
    const listener: StreamListener = {
      uris,
      resume: false,
      onReady: (control: StreamControl) => control.start(),
      onSubscribing: () => undefined,
      onSubscribed: (_index, failure) => settle(failure),
      onUpdate: () => undefined,
      onSessionEnd: () => clearInterval(poll),
    };
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
    listener.onReady(stream);
  });
}
