import { WordView } from '../../mcp/bytes8.js';
import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import type { Endpoint } from '../../protocol/messages.js';
import { overSocket } from '../duplex/duplex-connection.js';
import type { CreateLink } from '../duplex/duplex-link.js';
import type { Framing, FramingHandler } from '../duplex/framing.js';
import { CLOSE, type FrameHandler, FrameParser } from './frame-parser.js';
import { headBytes, makeFrame, OPCODE, sealFrame } from './frame-writer.js';
import { checkUpgradeHeaders, newKey, UpgradeReader, upgradeRequest } from './upgrade.js';

const overWebSocket = overSocket(
  (endpoint, { answerLimits }) => new WebSocketFraming(endpoint, answerLimits.bodyBytes),
);

/**
 * MCP over WebSocket: one message per text frame, subprotocol `mcp`, as in the official SDK's client. The standard has
 * no such transport; sessions are connections, and there are no session ids.
 */
export const webSocketLink: CreateLink = (owner, shared, config) => {
  checkUpgradeHeaders(config.endpoint);
  return overWebSocket(owner, shared, config);
};

/** One MCP message per text frame, after an HTTP upgrade. */
export class WebSocketFraming implements Framing, FrameHandler {
  readonly opening: Buffer;
  private upgrade: UpgradeReader | undefined;
  private readonly frames: FrameParser;
  private handler: FramingHandler | undefined;

  /** @param maxMessageBytes longest message that is read */
  constructor(endpoint: Endpoint, maxMessageBytes?: number) {
    this.frames = new FrameParser(maxMessageBytes);
    const key = newKey();
    this.opening = upgradeRequest(endpoint, key);
    this.upgrade = new UpgradeReader(key);
  }

  get problem(): string {
    return this.frames.problem;
  }

  get isOverLimit(): boolean {
    return this.frames.isOverLimit;
  }

  get errorReply(): Buffer | undefined {
    return this.frames.closeCode === 0 ? undefined : closeFrame(this.frames.closeCode);
  }

  get idle(): boolean {
    return this.upgrade?.idle ?? this.frames.idle;
  }

  maxBytes(template: RequestTemplate): number {
    return headBytes(template.maxBodyBytes) + template.maxBodyBytes;
  }

  writeRequest(into: Buffer, at: number, template: RequestTemplate, id: number, draw: Draw): number {
    const expected = headBytes(template.maxBodyBytes);
    const { fixed } = template;
    if (fixed !== undefined) {
      const { bytes } = fixed;
      into.set(bytes, at + expected);
      fixed.fill(into, at + expected, id, draw);
      return sealFrame(into, views.of(into), at, OPCODE.text, bytes.length);
    }
    const length = template.writeBody(into, at + expected, id, draw);
    const actual = headBytes(length);
    // A length must be written in as few bytes as possible (RFC 6455, 5.2); few templates straddle one of the bounds.
    if (actual !== expected) into.copyWithin(at + actual, at + expected, at + expected + length);
    return sealFrame(into, views.of(into), at, OPCODE.text, length);
  }

  frame(message: string): Buffer {
    return makeFrame(OPCODE.text, Buffer.from(message, 'utf8'));
  }

  closeMessage(): Buffer {
    return closeFrame(CLOSE.normal);
  }

  read(bytes: Buffer, end: number, handler: FramingHandler): boolean {
    this.handler = handler;
    const start = this.upgrade === undefined ? 0 : this.readUpgrade(this.upgrade, bytes, end, handler);
    return start >= end || this.frames.read(bytes, start, end, this);
  }

  rejectText(): void {
    this.frames.reject(CLOSE.notUtf8, 'a text message that is not UTF-8');
  }

  stop(): void {
    this.frames.stopped = true;
  }

  onText(bytes: Buffer, start: number, end: number): void {
    this.handler?.onMessage(bytes, start, end);
  }

  onPing(payload: Buffer): void {
    this.handler?.onReply(makeFrame(OPCODE.pong, payload));
  }

  onClose(code: number, reason: string): void {
    // Sending the same code back completes the closing handshake (RFC 6455, 5.5.1).
    this.handler?.onReply(code === CLOSE.none ? makeFrame(OPCODE.close, Buffer.alloc(0)) : closeFrame(code));
    const named = code === CLOSE.none ? 'no code' : `code ${code}`;
    this.handler?.onPeerClose(`with ${named}${reason === '' ? '' : ` (${reason})`}`);
  }

  /** @returns where frames begin */
  private readUpgrade(upgrade: UpgradeReader, bytes: Buffer, end: number, handler: FramingHandler): number {
    const answer = upgrade.read(bytes, end);
    switch (answer.kind) {
      case 'more':
        return end;
      case 'refused':
        handler.onRefused(answer.problem, answer.retryAfter, answer.head);
        return end;
      case 'accepted':
        this.upgrade = undefined;
        handler.onAccepted();
        return answer.next;
    }
  }
}

/** The view of the last send buffer, for all connections: there are few send buffers. */
const views = new WordView();

function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return makeFrame(OPCODE.close, payload);
}
