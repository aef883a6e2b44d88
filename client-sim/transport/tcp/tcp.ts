import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { overSocket } from '../duplex/duplex-connection.js';
import type { Framing, FramingHandler } from '../duplex/framing.js';
import { type LineHandler, LineParser } from './line-parser.js';

/**
 * MCP over a bare TCP connection: one message per line, as in MCP's stdio transport. The session is the connection.
 */
export const tcpLink = overSocket((_endpoint, { answerLimits }) => new LineFraming(answerLimits.bodyBytes));

const LF = 0x0a;

/** One MCP message per line, as in MCP's stdio transport: JSON never contains a line end of its own. */
export class LineFraming implements Framing, LineHandler {
  readonly opening = undefined;
  readonly errorReply = undefined;
  private readonly lines: LineParser;
  private handler: FramingHandler | undefined;

  /** @param maxLineBytes longest message that is read */
  constructor(maxLineBytes?: number) {
    this.lines = new LineParser(maxLineBytes);
  }

  get isOverLimit(): boolean {
    return this.lines.isOverLimit;
  }

  get problem(): string {
    return this.lines.problem;
  }

  get idle(): boolean {
    return this.lines.idle;
  }

  maxBytes(template: RequestTemplate): number {
    return template.maxBodyBytes + 1;
  }

  writeRequest(into: Buffer, at: number, template: RequestTemplate, id: number, draw: Draw): number {
    const end = at + template.writeBody(into, at, id, draw);
    into[end] = LF;
    return end + 1;
  }

  frame(message: string): Buffer {
    return Buffer.from(`${message}\n`, 'utf8');
  }

  closeMessage(): undefined {
    return undefined;
  }

  read(bytes: Buffer, end: number, handler: FramingHandler): boolean {
    this.handler = handler;
    return this.lines.read(bytes, end, this);
  }

  rejectText(): void {
    this.lines.reject('a line that is not UTF-8');
  }

  stop(): void {
    this.lines.stopped = true;
  }

  onLine(bytes: Buffer, start: number, end: number): void {
    this.handler?.onMessage(bytes, start, end);
  }
}
