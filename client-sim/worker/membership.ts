import { type Registered, type Registration, registered } from '../protocol/messages.js';
import { type ControllerHttp, ControllerUnreachable, type HttpAnswer } from './controller-http.js';
import { Retry } from './retry.js';

const REGISTER_TIMEOUT_MS = 5_000;
const MAX_PAUSE_MS = 2_000;

/** The controller answered, and does not accept this worker. */
export class RegistrationRefused extends Error {
  readonly code = 'WORKER_REFUSED';
  override readonly name = 'RegistrationRefused';
}

interface MembershipOptions {
  readonly http: ControllerHttp;
  /** Token of role `worker`; undefined where the controller is bound to loopback. */
  readonly token: string | undefined;
  readonly registration: () => Registration;
  /** The worker has a new id and token: the event ids of the order stream may no longer hold. */
  readonly onRegistered: (identity: Registered) => void;
}

/** Registers this worker with the controller, again whenever the controller no longer knows it, and makes its calls. */
export class Membership {
  private _identity: Registered | undefined;
  private registering: Promise<Registered> | undefined;
  /** When the controller last answered, on the clock of `performance.now()`. */
  private answeredAt = performance.now();

  constructor(private readonly options: MembershipOptions) {}

  get identity(): Registered | undefined {
    return this._identity;
  }

  /** Milliseconds since the controller last answered. */
  get silentMs(): number {
    return performance.now() - this.answeredAt;
  }

  noteAnswer(): void {
    this.answeredAt = performance.now();
  }

  /**
   * Registers, and tries again until it succeeds, however long the controller is away. Concurrent callers share one
   * attempt.
   * @throws RegistrationRefused 4xx; the signal's reason when aborted
   */
  async register(signal: AbortSignal): Promise<Registered> {
    this.registering ??= this.postRegistration(signal).finally(() => {
      this.registering = undefined;
    });
    return this.registering;
  }

  /**
   * Posts to one of this worker's own paths at the controller. If the controller does not know the worker (404, or 401
   * for the token of an earlier controller), this registers again; the caller then repeats its call.
   * @throws ControllerUnreachable, RegistrationRefused
   */
  async call(
    path: 'heartbeat' | 'telemetry' | 'preflight' | 'opened',
    body: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const identity = this._identity ?? (await this.register(signal));
    const answer = await this.options.http.post(
      `/workers/${identity.workerId}/${path}`,
      body,
      identity.token,
      timeoutMs,
    );
    if (answer.status < 500) this.noteAnswer();
    if (answer.status === 404 || answer.status === 401) await this.register(signal);
    return answer;
  }

  private async postRegistration(signal: AbortSignal): Promise<Registered> {
    const retry = new Retry(MAX_PAUSE_MS);
    for (;;) {
      signal.throwIfAborted();
      const identity = await this.attempt();
      if (identity !== undefined) {
        this.noteAnswer();
        this._identity = identity;
        this.options.onRegistered(identity);
        return identity;
      }
      await retry.wait(signal);
    }
  }

  /** @returns undefined when the controller cannot be reached now */
  private async attempt(): Promise<Registered | undefined> {
    const { http, token, registration } = this.options;
    try {
      const answer = await http.post('/workers', JSON.stringify(registration()), token, REGISTER_TIMEOUT_MS);
      if (answer.status >= 500 || answer.status === 429) return undefined;
      if (answer.status >= 300) throw new RegistrationRefused(refusal(http.url, answer));
      return registered.parse(answer.body);
    } catch (error) {
      if (error instanceof ControllerUnreachable) return undefined;
      throw error;
    }
  }
}

function refusal(url: string, { status, body }: HttpAnswer): string {
  const detail = body === undefined ? '' : `: ${JSON.stringify(body).slice(0, 300)}`;
  const remedy =
    status === 401 || status === 403
      ? 'Pass the worker token with --token-file or SWARMBENCH_WORKER_TOKEN.'
      : 'Check that this is the address of a swarmbench controller of the same version.';
  return `${url} answered HTTP ${status} to the registration${detail}. ${remedy}`;
}
