import type { ChannelConfig } from '../channel.js';
import type { WireShared } from '../shared.js';
import { ListeningStream, type StreamHost } from './listening-stream.js';

const TIMEOUT_MS = 30_000;

/** The stream of a session that has just been opened; undefined where nobody listens. Its listener starts it. */
export function sessionStream(
  host: StreamHost,
  config: ChannelConfig,
  shared: WireShared,
): ListeningStream | undefined {
  if (config.listener === undefined) return undefined;
  const { readBytesPerSecond, clientInfo, openTimeoutMs = TIMEOUT_MS } = config;
  const stream = new ListeningStream(host, config.listener, shared, {
    readBytesPerSecond,
    clientInfo,
    timeoutMs: openTimeoutMs,
  });
  config.listener.onReady(stream);
  return stream;
}
