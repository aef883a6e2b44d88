import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { describe } from '../../mcp/json-value.js';
import { violation } from '../../mcp/judge-message.js';
import { CLIENT_INFO } from '../../mcp/revisions.js';
import type { Failure, Problem } from '../../measure/failure.js';
import type { PinnedProtocol } from '../../protocol/messages.js';
import { type Channel, type ChannelConfig, type ChannelEvents, CLOSE_TIMEOUT_MS, OPEN_TIMEOUT_MS } from '../channel.js';
import { CookieJar } from '../cookie-jar.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { RequestKind } from '../request-head.js';
import { CLOSED_BEFORE_OPEN, CLOSED_IN_FLIGHT, LOST_IN_FLIGHT } from '../session-problems.js';
import { endpointMemory, type ProfileShared } from '../shared.js';
import { resettableIf } from '../socket/socket.js';
import type { Exchange } from './exchange.js';
import { judgeCall, judgeExchange, judgeHandshake, type Rules } from './judge-call.js';
import { loadSdk, type Sdk } from './load-sdk.js';
import { CallTable, SdkCall } from './sdk-call.js';
import { SdkSession, type SdkSessionOwner } from './sdk-session.js';

/** Loads the SDK, for which the first session would otherwise wait. */
export function prepareSdk(era: PinnedProtocol['era']): void {
  // The first session reports a failure.
  loadSdk(era).catch(() => undefined);
}

type State = 'new' | 'opening' | 'open' | 'closing' | 'closed';

/**
 * MCP over Streamable HTTP through the official SDK's client of the era: what a program that uses the SDK would see,
 * including its validation and the time it takes. Answers are judged by the messages below the SDK, by the rules of all
 * transports; an answer that only the SDK refuses has failed too.
 */
export class SdkChannel implements Channel, SdkSessionOwner {
  private state: State = 'new';
  private session: SdkSession | undefined;
  private startedAtMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private waiting: SdkCall[] = [];
  private readonly calls = new CallTable();
  private readonly depth: number;
  private readonly memory: EndpointMemory;
  private readonly cookies: CookieJar | undefined;
  /** Why a message on a stream could not be read; the SDK relates that to no request. */
  private unreadable: Problem | undefined;
  /** Last events of streams whose calls were abandoned and must not be resumed. */
  private readonly abandonedEvents = new Set<string>();

  /** @throws TypeError for an endpoint that cannot be spoken to: not http(s), headers that cannot be sent */
  constructor(
    private readonly config: ChannelConfig,
    private readonly events: ChannelEvents,
    private readonly shared: ProfileShared,
  ) {
    this.depth = config.connections * config.pipeline;
    this.memory = endpointMemory(config, shared);
    this.cookies = config.endpoint.cookies === true ? new CookieJar() : undefined;
  }

  get room(): number {
    return this.state === 'open' ? this.depth - this.calls.size : 0;
  }

  get cookie(): string | undefined {
    return this.cookies?.header;
  }

  open(): void {
    this.state = 'opening';
    loadSdk(this.config.pinned.era).then(
      (sdk) => this.begin(sdk),
      (error: unknown) => this.refuse({ category: 'connect', detail: `the SDK could not be loaded: ${String(error)}` }),
    );
  }

  send(template: RequestTemplate, draw: Draw, ticket: number): void {
    const call = new SdkCall(template, draw, ticket);
    this.calls.add(call);
    this.waiting.push(call);
  }

  flush(): void {
    const due = this.waiting;
    if (due.length === 0) return;
    this.waiting = [];
    for (const call of due) {
      if (call.over) continue;
      this.session?.client
        .call(call.method, call.params, {
          headers: Object.fromEntries(call.headers),
          signal: call.abort.signal,
          onresumptiontoken: call.onresumptiontoken,
        })
        .then(
          () => this.settle(call, undefined),
          (error: unknown) => this.settle(call, error),
        );
    }
  }

  abandon(ticket: number): void {
    const call = this.calls.find(ticket);
    if (call === undefined || this.state !== 'open') return;
    this.calls.remove(call);
    if (call.lastEventId !== undefined) this.abandonedEvents.add(call.lastEventId);
    call.cancel('timeout');
    queueMicrotask(() => {
      if (this.state === 'open') this.events.onRoom();
    });
  }

  close(how: 'delete' | 'abandon' | 'reset'): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    if (this.state !== 'open' || this.session === undefined) return this.refuse(CLOSED_BEFORE_OPEN);
    this.state = 'closing';
    this.failAll(CLOSED_IN_FLIGHT);
    if (how !== 'delete' || this.session.client.sessionId === undefined) return this.finish(how === 'reset');
    const finish = (): void => this.finish(false);
    this.timer = setTimeout(finish, CLOSE_TIMEOUT_MS);
    // Servers may refuse to end a session (405) or have forgotten it (404): either way it is over for us.
    this.session.client.terminate().then(finish, finish);
  }

  destroy(): void {
    this.state = 'closed';
    clearTimeout(this.timer);
    this.session?.end(false);
  }

  onStart(exchange: Exchange): boolean {
    const { counters } = this.shared;
    const call = this.calls.byId(exchange.id);
    if (call?.over === true) return false;
    if (call !== undefined) call.exchange = exchange;
    if (exchange.verb === 'POST') counters.messagesSent++;
    if (exchange.method === 'notifications/cancelled') counters.streams.cancelled++;
    return true;
  }

  wantsResumed(lastEventId: string): boolean {
    return !this.abandonedEvents.delete(lastEventId);
  }

  onHead(exchange: Exchange): void {
    const { head, verb, withinSession } = exchange;
    if (head === undefined) return;
    if (head.setCookie !== '') this.cookies?.keep(head.setCookie);
    if (verb === 'GET' || this.calls.byId(exchange.id) !== undefined) return;
    const replica = this.shared.replicas.numberOf(head.replica);
    // Only for requests within a session, and for the answer that opened it.
    if (replica > 0 && (withinSession || head.sessionId !== ''))
      this.events.onControlAnswer?.(replica, withinSession && head.status === 404);
  }

  onEnd(exchange: Exchange): void {
    const call = this.calls.byId(exchange.id);
    const { head } = exchange;
    if (
      call === undefined ||
      call.over ||
      head === undefined ||
      (head.mediaType !== 'event-stream' && head.status !== 202)
    )
      return;
    // The SDKs keep waiting when the stream of a call ends without the answer and without an event from which to
    // resume, and when a request is only acknowledged.
    setImmediate(() => {
      if (call.over || call.message !== undefined || call.lastEventId !== undefined || call.exchange !== exchange)
        return;
      const problem = judgeExchange(exchange, this.rules()) ??
        this.unreadable ?? { category: 'stream_lost', detail: 'the event stream ended without the answer' };
      this.unreadable = undefined;
      this.deliver(call, problem);
      call.cancel('there is no answer');
    });
  }

  onSend: CallTable['onSend'] = (message, token) => this.calls.onSend(message, token);

  onMessage = (message: unknown): void => {
    const { counters } = this.shared;
    counters.messagesReceived++;
    const meaning = this.calls.meaningOf(message);
    switch (meaning.kind) {
      case 'answer':
        meaning.call.message = message;
        return;
      case 'late':
        counters.lateAnswers++;
        return;
      case 'request':
        counters.streams.serverRequests++;
        return;
      case 'notification':
        if (meaning.method === 'notifications/progress') counters.streams.progress++;
        return;
      case 'stray': {
        // It is unknown which request this answers; for a server that answers in order it is the oldest.
        const { oldest } = this.calls;
        if (oldest === undefined || this.state !== 'open') return;
        this.deliver(oldest, violation(`an answer carries id ${describe(meaning.id)}, which no request had`));
        oldest.cancel('the answer carried another id');
        return;
      }
      case 'control':
        return;
    }
  };

  onError = (error: Error): void => {
    if (error.name === 'SyntaxError' || error.name === 'ZodError')
      this.unreadable = violation(
        `a message that the SDK's client cannot read: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`,
      );
  };

  private begin(sdk: Sdk): void {
    if (this.state !== 'opening') return;
    const { endpoint, clientInfo, resettable, openTimeoutMs = OPEN_TIMEOUT_MS } = this.config;
    this.startedAtMs = this.shared.now();
    const address = resettableIf(resettable, this.memory.address);
    const session = new SdkSession(
      sdk,
      this,
      { endpoint, address, clientInfo: clientInfo ?? CLIENT_INFO },
      this.shared,
    );
    this.session = session;
    this.timer = setTimeout(
      () =>
        this.refuse(
          session.isConnected
            ? { category: 'timeout', detail: `no answer to the handshake within ${openTimeoutMs} ms` }
            : { category: 'connect', detail: `no connection within ${openTimeoutMs} ms` },
        ),
      openTimeoutMs,
    );
    session.client.connect().then(
      () => this.opened(),
      (error: unknown) => {
        if (this.state === 'opening')
          this.refuse(
            this.makeFailure(judgeHandshake(session.lastControl, error, this.rules()), session.lastControl, undefined),
          );
      },
    );
  }

  private opened(): void {
    if (this.state !== 'opening') return;
    this.state = 'open';
    clearTimeout(this.timer);
    this.session?.countBytes();
    this.events.onOpen(this.shared.now() - this.startedAtMs);
  }

  private refuse(failure: Failure): void {
    if (this.state === 'closed') return;
    this.destroy();
    this.session?.countBytes();
    this.events.onOpenFailed(failure);
  }

  private settle(call: SdkCall, refusal: unknown): void {
    if (!call.over) this.deliver(call, judgeCall(call, refusal, this.rules()));
    this.calls.forget(call);
  }

  private deliver(call: SdkCall, problem: Problem | undefined): void {
    const { exchange, ticket } = call;
    call.over = true;
    this.calls.remove(call);
    this.session?.countBytes();
    const failure = problem === undefined ? undefined : this.makeFailure(problem, exchange, call);
    const replica = this.shared.replicas.numberOf(exchange?.head?.replica ?? '');
    if (failure?.category !== 'session_lost' || this.state !== 'open')
      return this.events.onAnswer(ticket, this.shared.now(), failure, replica);
    this.state = 'closed';
    this.events.onAnswer(ticket, this.shared.now(), failure, replica);
    this.failAll(LOST_IN_FLIGHT);
    this.session?.end(false);
    this.events.onClosed('lost');
  }

  /** Answers everything in flight, oldest first. */
  private failAll(problem: Problem): void {
    for (let call = this.calls.oldest; call !== undefined; call = this.calls.oldest) {
      this.deliver(call, problem);
      // Without a cancellation: the session itself ends.
      call.exchange?.abort.abort();
    }
  }

  private finish(reset: boolean): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    clearTimeout(this.timer);
    this.session?.end(reset);
    queueMicrotask(() => this.events.onClosed('closed'));
  }

  private rules(): Rules {
    return { era: this.config.pinned.era, hasSession: this.session?.client.sessionId !== undefined };
  }

  private makeFailure(problem: Problem, exchange: Exchange | undefined, call: SdkCall | undefined): Failure {
    const kind = (): RequestKind => ({
      verb: 'POST',
      method: call?.template.method,
      name: call?.template.nameHeader,
      params: call?.headers,
      sessionId: this.session?.client.sessionId,
      version: this.config.pinned.version,
    });
    const { head } = exchange ?? {};
    const body = (): string =>
      call?.message === undefined ? (exchange?.body.toString('utf8') ?? '') : JSON.stringify(call.message);
    return this.memory.failure(
      problem,
      { kind, template: call?.template.index ?? -1, body: () => exchange?.text ?? '(the SDK sent nothing)' },
      head === undefined ? undefined : { head, body },
    );
  }
}
