import type { Service } from './answers.js';
import type { EngineCalls } from './calls.js';

export interface LogOptions {
  /** Go on until aborted. */
  readonly follow: boolean;
  /** Only this many last lines of each task; undefined: all that the engine has. */
  readonly tail?: number;
  /** Unix time in seconds. */
  readonly sinceS?: number;
}

export interface TaskLogLine {
  readonly taskId: string;
  readonly nodeId: string;
  readonly stream: 'stdout' | 'stderr';
  /** When the engine read the line: RFC 3339 in UTC, with nanoseconds. */
  readonly at: string;
  /** Without the line break. */
  readonly text: string;
}

export interface Logs {
  /** The lines of all tasks of a service. Ends without an error when aborted. */
  ofService(service: Service, options: LogOptions, signal: AbortSignal): AsyncIterable<TaskLogLine>;
}

export function logsOf({ open }: EngineCalls): Logs {
  return {
    async *ofService({ ID, Spec }, { follow, tail, sinceS }, signal) {
      const query = {
        stdout: true,
        stderr: true,
        timestamps: true,
        details: true,
        follow,
        tail: tail ?? 'all',
        ...(sinceS === undefined ? {} : { since: sinceS }),
      };
      const stream = await open(
        { action: `reading logs of ${Spec.Name}`, method: 'GET', path: `/services/${ID}/logs`, query },
        signal,
      );
      const frames = Spec.TaskTemplate.ContainerSpec?.TTY === true ? linesOf(stream) : demux(stream);
      try {
        for await (const frame of frames) yield parseLine(frame);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        stream.destroy();
      }
    },
  };
}

/** `2026-11-20T22:26:51.736430446Z com.docker.swarm.node.id=a,...,com.docker.swarm.task.id=c text`. */
function parseLine({ stream, bytes }: LogFrame): TaskLogLine {
  const [, at = '', details = '', text = ''] = /^(\S*) (\S*) ?(.*?)\r?\n?$/s.exec(bytes.toString()) ?? [];
  const detail = new Map(
    details.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  return {
    at,
    text,
    stream,
    taskId: detail.get('com.docker.swarm.task.id') ?? '',
    nodeId: detail.get('com.docker.swarm.node.id') ?? '',
  };
}

export interface LogFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

const HEADER_BYTES = 8;

/**
 * Splits the stream of containers without a terminal into frames of stdout and stderr. The header of a frame is the
 * stream (0 stdin, 1 stdout, 2 stderr), three zeros, and the length as big-endian 32 bits
 * (docs.docker.com/reference/api/engine, "Stream format").
 */
export async function* demux(chunks: AsyncIterable<Buffer>): AsyncGenerator<LogFrame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < HEADER_BYTES) break;
      const end = HEADER_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', bytes: rest.subarray(HEADER_BYTES, end) };
      rest = rest.subarray(end);
    }
  }
}

/** Splits the stream of a container with a terminal, which has no frames, into lines. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<LogFrame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      yield { stream: 'stdout', bytes: rest.subarray(0, end + 1) };
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield { stream: 'stdout', bytes: rest };
}
