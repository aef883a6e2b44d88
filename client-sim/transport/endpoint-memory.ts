import { type RequestTemplate, renderRequest } from '../mcp/compile-request.js';
import { KnownAnswers, PatternMemory } from '../mcp/pattern-memory.js';
import type { Failure, Problem } from '../measure/failure.js';
import { ReplicaNames } from '../measure/replica-names.js';
import type { Endpoint } from '../protocol/messages.js';
import { IdleAge } from './http/idle-age.js';
import type { AnswerHead } from './judge-http.js';
import { checkHeaders, kindOf, type RequestHead, type RequestKind, type SessionHeaders } from './request-head.js';
import { FailureMaker, requestText, responseText, type SampleBudget } from './sample.js';
import { type Address, addressOf } from './socket/socket.js';

/** The draw of a load request: enough to render it again. */
export interface DrawnCall {
  readonly template: number;
  readonly id: number;
  readonly slot: number;
  readonly sequence: number;
}

/** The HTTP request that failed. */
interface FailedRequest {
  /** Rendered, like the body, only when a sample is wanted. */
  kind(): RequestKind;
  /** Number of the operation; -1 for requests of the session itself. */
  readonly template: number;
  body(): string;
}

/** The part of its answer that came. */
export interface FailedAnswer {
  readonly head: AnswerHead;
  body(): string;
}

/** What all HTTP channels of a profile in an engine thread know of one endpoint. */
export class EndpointMemory {
  readonly address: Address;
  /** Whole HTTP answers, head and framing included: one that comes again needs no parser. */
  readonly answers = new KnownAnswers();
  readonly replicas: ReplicaNames;
  /** JSON-RPC messages alone, for servers whose heads or framing never repeat. */
  readonly messages = new PatternMemory();
  /** A whole HTTP answer that only acknowledges a message; see `AnswerSession.answersElsewhere`. */
  accepted: Buffer | undefined;
  /** Request heads by template, where no session id makes them differ between channels. */
  readonly heads: (RequestHead | undefined)[] = [];
  private readonly headsOfSessions = new Map<string, (RequestHead | undefined)[]>();
  /** Idle time after which the server closes connections (`keep-alive: timeout`); 0: it announced none. */
  keepAliveMs = 0;
  /** The same where it announced none, as learned from what it does. */
  readonly idleAge = new IdleAge();
  /** Number of answers that were parsed; see `scanAnswer`. */
  turn = 0;
  /** Templates seen, by index, to render a failed request again. */
  readonly templates: RequestTemplate[] = [];
  private readonly failures: FailureMaker;

  /** @throws TypeError for an endpoint that cannot be spoken to: not http(s), headers that cannot be sent */
  constructor(
    private readonly endpoint: Endpoint,
    private readonly era: 'legacy' | 'modern',
    samples: SampleBudget,
    replicas = new ReplicaNames(),
  ) {
    this.replicas = replicas;
    checkHeaders(endpoint);
    this.address = addressOf(endpoint);
    this.failures = new FailureMaker(endpoint, samples);
  }

  /** @param answer undefined: there was none */
  failure(problem: Problem, request: FailedRequest, answer: FailedAnswer | undefined): Failure {
    const { endpoint, era } = this;
    return this.failures.make(
      problem,
      request.template,
      () => requestText(endpoint, era, request.kind(), request.body()),
      answer === undefined
        ? undefined
        : { text: () => responseText(answer.head, answer.body()), retryAfter: answer.head.retryAfter },
    );
  }

  /**
   * The failure of a load request. `call` and `answer` are read before this returns.
   * @param sessionHeaders those that the requests of its session carry
   */
  failureOf(
    { template: index, id, slot, sequence }: DrawnCall,
    seed: number,
    sessionHeaders: SessionHeaders,
    problem: Problem,
    answer: FailedAnswer | undefined,
  ): Failure {
    const template = this.templates[index];
    if (template === undefined) return problem;
    const draw = { seed, slot, sequence };
    return this.failure(
      problem,
      {
        kind: () => ({ ...kindOf(template, draw), ...sessionHeaders }),
        template: index,
        body: () => renderRequest(template, id, draw),
      },
      answer,
    );
  }

  /** Request heads by template, for sessions of this version whose ids are as long as this one. */
  headsFor(version: string, sessionId: string): (RequestHead | undefined)[] {
    const key = `${version} ${sessionId.length}`;
    let heads = this.headsOfSessions.get(key);
    if (heads === undefined) this.headsOfSessions.set(key, (heads = []));
    return heads;
  }
}

/** What all duplex channels of a profile in an engine thread know of one endpoint. */
export class DuplexMemory {
  readonly messages = new PatternMemory();
  /** Templates seen, by index, to render a failed request again. */
  readonly templates: RequestTemplate[] = [];
  /**
   * Where the id was in the last answer that was parsed, from its start and from its end; -1: none yet. See
   * `MessageReader`.
   */
  idFromStart = -1;
  idFromEnd = -1;
  /** Number of answers that were parsed; see `scanAnswer`. */
  turn = 0;
  readonly failures: FailureMaker;
  private resolvedAddress: Address | undefined;

  /**
   * @throws TypeError for an endpoint that cannot be spoken to: a URL of another scheme, headers that cannot be sent
   */
  constructor(
    private readonly endpoint: Endpoint,
    samples: SampleBudget,
  ) {
    checkHeaders(endpoint);
    this.failures = new FailureMaker(endpoint, samples);
  }

  /** @throws TypeError for a URL that names no place in a network */
  get address(): Address {
    return (this.resolvedAddress ??= addressOf(this.endpoint));
  }
}
