import type { ServerResponse } from 'node:http';

/** One `tools/call` (or other operation) that a test server has to answer, rightly or wrongly. */
export interface Call {
  /** From 1, over all sessions but the first, which is the preflight's. */
  readonly number: number;
  readonly id: string | number;
  readonly tool: string | undefined;
  readonly session: string | undefined;
  readonly response: ServerResponse;
  /** The right answer of this call, as JSON. */
  readonly rightAnswer: string;
  /** Sends the right answer, or `body` instead, as `application/json`. */
  answer(body?: string, status?: number, headers?: Readonly<Record<string, string>>): void;
  /** Forgets the call's session, as a restarted server would; it will be answered with 404 from now on. */
  forgetSession(): void;
}

/** What a test server does with a call; rejections are a fault of the test. */
export type Behaviour = (call: Call) => void | Promise<void>;
