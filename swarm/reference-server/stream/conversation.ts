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
