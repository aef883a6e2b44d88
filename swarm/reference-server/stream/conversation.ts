import type { Duplex } from 'node:stream';

/** One connection that carries messages both ways, whatever frames them. */
export interface Conversation {
  send(text: string): void;
  close(): void;
  /** Set by whoever talks; told of every message, and once of the end. */
  onText: (text: string) => void;
  onEnd: () => void;
}

/** Longest message taken, as the SDKs have it for HTTP bodies. */
export const largestMessageBytes = 4 * 1024 * 1024;

const lineEnd = 0x0a;

/**
 * Messages as lines on a bare TCP connection, or on the standard streams of a process. A line that is too long ends it.
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
    if (heldBytes > largestMessageBytes) socket.destroy();
  };
  socket.on('data', (chunk: Buffer) => {
    let at = 0;
    for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, at)) {
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
