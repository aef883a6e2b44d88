import { renderRequest } from '../mcp/compile-request.js';
import type { Problem } from '../mcp/judge-message.js';
import { KnownAnswers } from '../mcp/known-answers.js';
import { PatternMemory } from '../mcp/pattern-memory.js';
import type { RequestTemplate } from '../mcp/request-template.js';
import type { Failure } from '../measure/failure.js';
import { ReplicaNames } from '../measure/replica-names.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import { type FailedAnswer, FailureMaker } from './failure-maker.js';
import { type Address, addressOf } from './http/socket.js';
import { checkHeaders, kindOf, type RequestHead, type RequestKind } from './request-head.js';
import type { SampleBudget } from './sample-budget.js';
import type { WireShared } from './shared.js';

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
   * @param settled what its session's requests carry @param answer undefined: there was none. What it is drawn from is
   * read before this returns
   */
  failureOf(
    { template: index, id, slot, sequence }: DrawnCall,
    seed: number,
    settled: Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>,
    problem: Problem,
    answer: FailedAnswer | undefined,
  ): Failure {
    const template = this.templates[index];
    if (template === undefined) return problem;
    const draw = { seed, slot, sequence };
    return this.failures.make(
      problem,
      {
        kind: () => ({ ...kindOf(template, draw), ...settled }),
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

/** What is known of this endpoint; the first channel to it makes a beginning. */
export function endpointMemory(
  { endpoint, pinned }: { readonly endpoint: Endpoint; readonly pinned: PinnedProtocol },
  shared: WireShared,
): EndpointMemory {
  let memory = shared.memories.get(endpoint);
  if (memory === undefined)
    shared.memories.set(endpoint, (memory = new EndpointMemory(endpoint, pinned.era, shared.samples, shared.replicas)));
  return memory;
}
