import http from 'node:http';
import https from 'node:https';

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

/** HTTP towards one controller: kept-alive connections of its own, apart from those that carry load. */
export class ControllerHttp {
  private readonly base: URL;
  private readonly agent: http.Agent;

  /** @throws TypeError when the URL is not http(s) */
  constructor(url: string) {
    this.base = new URL(url.endsWith('/') ? url : `${url}/`);
    if (this.base.protocol !== 'http:' && this.base.protocol !== 'https:')
      throw new TypeError(`${url} is not an http or https URL`);
    this.agent =
      this.base.protocol === 'https:' ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
  }

  get url(): string {
    return this.base.href;
  }

  /** @throws ControllerUnreachable */
  post(path: string, body: string, token: string | undefined, timeoutMs: number): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...authorization(token),
      };
      const request = this.request(path, { method: 'POST', headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          settle(() =>
            resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString('utf8')) }),
          ),
        );
        response.on('error', (error) => settle(() => reject(this.unreachable(path, error.message))));
      });
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        act();
      };
      request.on('error', (error) => settle(() => reject(this.unreachable(path, error.message))));
      request.end(body);
    });
  }

  /** Opens a stream; the answer's body is the caller's. @throws ControllerUnreachable */
  stream(
    path: string,
    headers: Readonly<Record<string, string>>,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = this.request(
        path,
        { method: 'GET', headers: { accept: 'text/event-stream', ...headers, ...authorization(token) }, signal },
        resolve,
      );
      request.on('error', (error) => reject(this.unreachable(path, error.message)));
      request.end();
    });
  }

  close(): void {
    this.agent.destroy();
  }

  private request(
    path: string,
    options: http.RequestOptions,
    onResponse: (response: http.IncomingMessage) => void,
  ): http.ClientRequest {
    const make = this.base.protocol === 'https:' ? https.request : http.request;
    return make(new URL(path.replace(/^\//, ''), this.base), { ...options, agent: this.agent }, onResponse);
  }

  private unreachable(path: string, why: string): ControllerUnreachable {
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
    // An error page of a proxy: the status says enough.
    return undefined;
  }
}
