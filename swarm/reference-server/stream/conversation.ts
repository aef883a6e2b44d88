import type { Duplex } from 'node:stream';
import { LARGEST_MESSAGE_BYTES } from '../mcp/inbound.js';

/** One connection that carries messages in both directions, whatever frames them. */
export interface Conversation {
  send(text: string): void;
  close(): void;
  /** Set by the user of the connection; called for every message. */
  onText: (text: string) => void;
  /** Set by the user of the connection; called once. */
  onEnd: () => void;
}

const LINE_END = 0x0a;

/**
 * Messages as lines on a bare TCP connection, or on the standard streams of a process. A line that is too long ends the
 * connection.
 */
export function lineConversation(socket: Duplex): Conversation {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const conversation: Conversation = {
    onText: () => undefined,
    onEnd: () => undefined,
    send: (text) => void socket.write(`${text}\n`),
    close: () => void socket.end(),
  };
  const keep = (part: Buffer): void => {
    held.push(part);
    heldBytes += part.length;
    if (heldBytes > LARGEST_MESSAGE_BYTES) socket.destroy();
  };
  socket.on('data', (chunk: Buffer) => {
    let at = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, at)) {
      keep(chunk.subarray(at, end));
      const line = Buffer.concat(held).toString('utf8').trim();
      held = [];
      heldBytes = 0;
      at = end + 1;
      if (line !== '' && !socket.destroyed) conversation.onText(line);
    }
    if (at < chunk.length) keep(chunk.subarray(at));
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => conversation.onEnd());
  return conversation;
}
