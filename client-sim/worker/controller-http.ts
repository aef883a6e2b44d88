import { Agent, type buildConnector, type Dispatcher, request } from 'undici';
import { KeptAddress } from './kept-address.js';

/** A controller that was replaced leaves an address at which nobody says no; the next attempt has the new one. */
const CONNECT_MS = 2_000;

/** Where connections come from that the controller makes, and how many there are. */
export interface TurnedConnections {
  readonly connect: buildConnector.connector;
  readonly connections: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Parsed JSON; undefined when the body is not JSON. */
  readonly body: unknown;
}

/** The controller could not be reached, or did not answer in time. */
export class ControllerUnreachable extends Error {
  readonly code = 'WORKER_CONTROLLER_UNREACHABLE';
  override readonly name = 'ControllerUnreachable';
}

/** HTTP to one controller, on kept-alive connections of its own, apart from those that carry load. */
export class ControllerHttp {
  private readonly base: URL;
  private readonly agent: Agent;

  /**
   * @param ca PEM text of the authorities to trust, instead of those of the system
   * @param turned connections that the controller has made, where it did the dialling
   * @throws TypeError when the URL is not http(s)
   */
  constructor(url: string, ca?: string, turned?: TurnedConnections) {
    // Without time limits for answers: callers of `post` give one, callers of `stream` an abort signal.
    const connect = { timeout: CONNECT_MS, lookup: new KeptAddress().lookup, ...(ca === undefined ? {} : { ca }) };
    this.agent = new Agent({ connect, ...turned, headersTimeout: 0, bodyTimeout: 0 });
    this.base = new URL(url.endsWith('/') ? url : `${url}/`);
    if (this.base.protocol !== 'http:' && this.base.protocol !== 'https:')
      throw new TypeError(`${url} is not an http or https URL`);
  }

  get url(): string {
    return this.base.href;
  }

  /** @throws ControllerUnreachable */
  async post(path: string, body: string, token: string | undefined, timeoutMs: number): Promise<HttpAnswer> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      const response = await request(this.resolve(path), {
        dispatcher: this.agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...authorization(token) },
        body,
        signal: timeout.signal,
      });
      return { status: response.statusCode, body: parse(await response.body.text()) };
    } catch (error) {
      throw this.unreachable(path, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Opens a stream. The caller must read or dump the body of the response. @throws ControllerUnreachable */
  async stream(
    path: string,
    headers: Readonly<Record<string, string>>,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request(this.resolve(path), {
        dispatcher: this.agent,
        headers: { accept: 'text/event-stream', ...headers, ...authorization(token) },
        signal,
      });
    } catch (error) {
      throw this.unreachable(path, error);
    }
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private resolve(path: string): URL {
    return new URL(path.replace(/^\//, ''), this.base);
  }

  private unreachable(path: string, error: unknown): ControllerUnreachable {
    const why = error instanceof Error ? error.message : String(error);
    return new ControllerUnreachable(`controller ${this.base.origin}: ${path}: ${why}`);
  }
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error page of a proxy: the status says enough.
    return undefined;
  }
}
