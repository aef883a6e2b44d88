import { type RequestTemplate, renderRequest } from '../mcp/compile-request.js';
import type { Problem } from '../mcp/judge-message.js';
import { KnownAnswers, PatternMemory } from '../mcp/pattern-memory.js';
import type { Failure } from '../measure/failure.js';
import { ReplicaNames } from '../measure/replica-names.js';
import type { Endpoint } from '../protocol/messages.js';
import { checkHeaders, kindOf, type RequestHead, type RequestKind } from './request-head.js';
import { parseRetryAfter } from './retry.js';
import { clip, type FailedAnswer, FailureMaker, redact, type SampleBudget } from './sample.js';
import { type Address, addressOf } from './socket/socket.js';

/** What a request of the load was drawn from: enough to draw it again. */
export interface DrawnCall {
  readonly template: number;
  readonly id: number;
  readonly slot: number;
  readonly sequence: number;
}

/** What the channels of one profile know and have learnt of one endpoint; shared by all of them in an engine thread. */
export class EndpointMemory {
  readonly address: Address;
  readonly failures: FailureMaker;
  /** Whole HTTP answers, head and framing included: met again, they need no parser at all. */
  readonly answers = new KnownAnswers();
  readonly replicas: ReplicaNames;
  /** JSON-RPC messages alone, for servers whose heads or framing never repeat. */
  readonly messages = new PatternMemory();
  /** A whole HTTP answer that says only that a message was taken; see `ConnectionOwner.answersElsewhere`. */
  accepted: Buffer | undefined;
  /** Request heads by template, where no session id makes them differ between channels. */
  readonly heads: (RequestHead | undefined)[] = [];
  private readonly headsOfSessions = new Map<string, (RequestHead | undefined)[]>();
  /** Idle time after which the server closes connections (`keep-alive: timeout`); 0: it never said. */
  keepAliveMs = 0;
  /** Answers that were parsed; see `scanAnswer`. */
  turn = 0;
  /** Templates seen, by index, to draw a failed request again. */
  readonly templates: RequestTemplate[] = [];

  /** @throws TypeError for an endpoint that cannot be spoken to: not http(s), headers that cannot be sent */
  constructor(endpoint: Endpoint, era: 'legacy' | 'modern', samples: SampleBudget, replicas = new ReplicaNames()) {
    this.replicas = replicas;
    checkHeaders(endpoint);
    this.address = addressOf(endpoint);
    this.failures = new FailureMaker(endpoint, era, samples);
  }

  /**
   * @param sessionHeaders what its session's requests carry @param answer undefined: there was none. What it is drawn from is
   * read before this returns
   */
  failureOf(
    { template: index, id, slot, sequence }: DrawnCall,
    seed: number,
    sessionHeaders: Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>,
    problem: Problem,
    answer: FailedAnswer | undefined,
  ): Failure {
    const template = this.templates[index];
    if (template === undefined) return problem;
    const draw = { seed, slot, sequence };
    return this.failures.make(
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

/** What the channels of one profile know and have learnt of one endpoint; shared by all of them in an engine thread. */
export class DuplexMemory {
  private place: Address | undefined;
  readonly messages = new PatternMemory();
  /** Templates seen, by index, to draw a failed request again. */
  readonly templates: RequestTemplate[] = [];
  /**
   * Where the id was in the last answer that was parsed, from its start and from its end; -1: none yet. See
   * `AnswerReader`.
   */
  idFromStart = -1;
  idFromEnd = -1;
  /** Answers that were parsed; see `scanAnswer`. */
  turn = 0;

  /**
   * @throws TypeError for an endpoint that cannot be spoken to: a URL of another scheme, headers that cannot be sent
   */
  constructor(
    private readonly endpoint: Endpoint,
    private readonly samples: SampleBudget,
  ) {
    checkHeaders(endpoint);
  }

  /** @throws TypeError for a URL that names no place in a network */
  get address(): Address {
    return (this.place ??= addressOf(this.endpoint));
  }

  /**
   * @param template of the operation; -1 for what belongs to the session itself
   * @param request drawn again only when a sample is wanted
   */
  failure(
    problem: Problem,
    template: number,
    request: () => string,
    answer?: { readonly text: () => string; readonly retryAfter?: string },
  ): Failure {
    const retryAfterMs = answer?.retryAfter === undefined ? undefined : parseRetryAfter(answer.retryAfter, Date.now());
    const failure = {
      category: problem.category,
      detail: redact(problem.detail, this.endpoint),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    if (!this.samples.take(problem.category, template)) return failure;
    const show = (text: string): string => clip(redact(text, this.endpoint));
    return { ...failure, sample: { request: show(request()), response: show(answer?.text() ?? '(no answer)') } };
  }
}
