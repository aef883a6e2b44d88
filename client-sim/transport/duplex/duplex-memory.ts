import type { Problem } from '../../mcp/judge-message.js';
import { PatternMemory } from '../../mcp/pattern-memory.js';
import type { RequestTemplate } from '../../mcp/request-template.js';
import type { Failure } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import { parseRetryAfter } from '../http/retry-after.js';
import { type Address, addressOf } from '../http/socket.js';
import { checkHeaders } from '../request-head.js';
import { clip, redact } from '../sample.js';
import type { SampleBudget } from '../sample-budget.js';
import type { WireShared } from '../shared.js';

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

/** What is known of this endpoint; the first channel to it makes a beginning. */
export function duplexMemory(endpoint: Endpoint, shared: WireShared): DuplexMemory {
  let memory = shared.duplexMemories.get(endpoint);
  if (memory === undefined) shared.duplexMemories.set(endpoint, (memory = new DuplexMemory(endpoint, shared.samples)));
  return memory;
}
