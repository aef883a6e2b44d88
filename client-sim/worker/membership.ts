import { type Registered, type Registration, registered } from '../protocol/messages.js';
import { type ControllerHttp, ControllerUnreachable, type HttpAnswer } from './controller-http.js';
import { Retry } from './retry.js';

const REGISTER_TIMEOUT_MS = 5_000;
const LONGEST_PAUSE_MS = 2_000;

/** The controller answered, and does not want this worker. */
class RegistrationRefused extends Error {
  readonly code = 'WORKER_REFUSED';
  override readonly name = 'RegistrationRefused';
}

interface MembershipOptions {
  readonly http: ControllerHttp;
  /** Of role `worker`; undefined where the controller is bound to loopback. */
  readonly token: string | undefined;
  readonly registration: () => Registration;
  /** A new name and token: what was known of the orders' numbers no longer holds. */
  readonly onRegistered: (identity: Registered) => void;
}

/** Who this worker is to the controller: registered once, and again whenever the controller no longer knows it. */
export class Membership {
  private _identity: Registered | undefined;
  private registering: Promise<Registered> | undefined;
  /** When the controller last answered anything, on the clock of `performance.now()`. */
  private heardAt = performance.now();

  constructor(private readonly options: MembershipOptions) {}

  get identity(): Registered | undefined {
    return this._identity;
  }

  /** Milliseconds since the controller last answered. */
  get silentMs(): number {
    return performance.now() - this.heardAt;
  }

  heard(): void {
    this.heardAt = performance.now();
  }

  /**
   * Registers until it succeeds, however long the controller is away; several callers share one attempt.
   * @throws RegistrationRefused 4xx; the signal's reason when aborted
   */
  async register(signal: AbortSignal): Promise<Registered> {
    this.registering ??= this.postRegistration(signal).finally(() => (this.registering = undefined));
    return this.registering;
  }

  /**
   * Calls one of this worker's own routes. Where the controller does not know the worker (404, or 401 for a token of a
   * controller before), it registers again and the answer is left to the caller's next attempt.
   * @throws ControllerUnreachable, RegistrationRefused
   */
  async call(
    what: 'heartbeat' | 'telemetry' | 'preflight',
    body: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const identity = this._identity ?? (await this.register(signal));
    const answer = await this.options.http.post(
      `/workers/${identity.workerId}/${what}`,
      body,
      identity.token,
      timeoutMs,
    );
    if (answer.status < 500) this.heard();
    if (answer.status === 404 || answer.status === 401) await this.forgotten(signal);
    return answer;
  }

  /** The controller does not know this worker (any more). */
  async forgotten(signal: AbortSignal): Promise<void> {
    await this.register(signal);
  }

  private async postRegistration(signal: AbortSignal): Promise<Registered> {
    const retry = new Retry(LONGEST_PAUSE_MS);
    for (;;) {
      signal.throwIfAborted();
      const identity = await this.attempt();
      if (identity !== undefined) {
        this.heard();
        this._identity = identity;
        this.options.onRegistered(identity);
        return identity;
      }
      await retry.wait(signal);
    }
  }

  /** Undefined: not reachable now. */
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
  const remedy =
    status === 401 || status === 403
      ? 'Give the worker token with --token-file or SWARMBENCH_WORKER_TOKEN.'
      : 'Is this the address of a swarmbench controller of the same version?';
  return `${url} answered HTTP ${status} to the registration${body === undefined ? '' : `: ${JSON.stringify(body).slice(0, 300)}`}. ${remedy}`;
}
