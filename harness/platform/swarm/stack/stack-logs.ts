import type { Service } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import type { LogOptions, TaskLogLine } from '../engine/logs.js';
import { findServices, type Stack, shortName } from './stack-objects.js';

export interface StackLogLine extends TaskLogLine {
  /** As in the stack file. */
  readonly service: string;
  /** 0 in a global service, and for tasks that the swarm has forgotten. */
  readonly slot: number;
  /** Host name. */
  readonly node: string;
}

/** The lines of several services as they come, those of each service in order. Ends without an error when aborted. */
export async function* stackLogs(
  stack: Stack,
  names: readonly string[],
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<StackLogLine> {
  const { engine } = stack;
  const [services, nodes] = await Promise.all([findServices(stack, names, signal), engine.nodes.all(signal)]);
  const hosts = new Map(nodes.map(({ ID, Description }) => [ID, Description.Hostname]));
  const slots = await slotsOf(engine, services, signal);
  const streams = services.map((service) => linesOf(service));
  async function* linesOf(service: Service): AsyncGenerator<StackLogLine> {
    for await (const line of engine.logs.ofService(service, options, signal)) {
      // A task that has started since we listed them.
      if (!slots.has(line.taskId))
        for (const [id, slot] of await slotsOf(engine, [service], signal)) slots.set(id, slot);
      const slot = slots.get(line.taskId) ?? 0;
      slots.set(line.taskId, slot);
      yield {
        ...line,
        service: shortName(service.Spec.Name, stack.name),
        slot,
        node: hosts.get(line.nodeId) ?? line.nodeId,
      };
    }
  }
  yield* mergeStreams(streams);
}

async function slotsOf(
  engine: Engine,
  services: readonly Service[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const tasks = await engine.tasks.ofServices(
    services.map(({ ID }) => ID),
    signal,
  );
  return new Map(tasks.map(({ ID, Slot }) => [ID, Slot]));
}

/** Several streams as one, each item as soon as it is there. Leaving the loop early ends them all. */
async function* mergeStreams<Item>(streams: readonly AsyncGenerator<Item>[]): AsyncGenerator<Item> {
  const next = (stream: AsyncGenerator<Item>) => stream.next().then((result) => ({ stream, result }));
  const waiting = new Map(streams.map((stream) => [stream, next(stream)]));
  try {
    while (waiting.size > 0) {
      const { stream, result } = await Promise.race(waiting.values());
      if (result.done === true) waiting.delete(stream);
      else {
        waiting.set(stream, next(stream));
        yield result.value;
      }
    }
  } finally {
    for (const [stream, pending] of waiting) {
      pending.catch(() => undefined);
      void stream.return(undefined).catch(() => undefined);
    }
  }
}
