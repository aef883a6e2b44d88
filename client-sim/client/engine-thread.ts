import { parentPort, type MessagePort } from 'node:worker_threads';
import type { TransportName } from '../../scenarios/schema/transports.js';
import { createPacer } from '../load/pacer.js';
import { LoopMonitor } from '../measure/loop-monitor.js';
import { transferables } from '../measure/snapshot.js';
import { compileRequest } from '../mcp/compile-request.js';
import type { Endpoint } from '../protocol/messages.js';
import { endpointsFor } from '../protocol/endpoints.js';
import { createEngineWire, createWireShared, type WireShared } from '../transport/shared.js';
import { tokenEndpoints } from '../transport/token-endpoints.js';
import { transportMap } from '../transport/transports.js';
import type { ChannelFactory, ProfileRuntime } from './profile-runtime.js';
import { createThreadEngine, type ThreadEngine } from './thread-engine.js';
import { hrNowMs, type FromThread, type ThreadSpec, type ToThread } from './thread-messages.js';

if (parentPort === null) throw new TypeError('the engine runs in a worker thread');
listen(parentPort);

function listen(port: MessagePort): void {
  let engine: ThreadEngine | undefined;
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'start':
        engine = start(port, message.spec);
        return;
      case 'add':
        engine?.add(message.places, message.joinMs);
        return;
      case 'adjust':
        engine?.adjust(message.order);
        return;
      case 'stop':
        engine?.stop(message.mode);
        return;
    }
  });
}

function start(port: MessagePort, spec: ThreadSpec): ThreadEngine {
  const loop = new LoopMonitor();
  const pacer = createPacer(spec.pacing, spec.ticks);
  const report = (message: FromThread): void => {
    port.postMessage(message, message.kind === 'limit' ? [] : transferables(message.snapshot));
  };
  const engine = createThreadEngine({
    plan: spec.plan, places: spec.places, endpoints: ({ transport }) => endpointsFor(spec.endpoints, transport).length, joinMs: spec.joinMs, limits: spec.limits,
    clock: () => performance.now(),
    startMs: performance.now() + spec.startHrMs - hrNowMs(),
    loop,
    templates: (profile) => profile.operations.map((operation, index) => compileRequest(operation, index, spec.pinned)),
    createChannel: channels(spec),
    onSnapshot: (snapshot) => report({ kind: 'snapshot', snapshot }),
    onLimit: (problem) => report({ kind: 'limit', problem }),
    onFinished: (snapshot) => {
      pacer.stop();
      loop.stop();
      report({ kind: 'finished', snapshot });
      port.close();
    },
  });
  pacer.start(engine.pump);
  return engine;
}

function channels(spec: ThreadSpec): ChannelFactory {
  const wire = createEngineWire();
  const shared = new Map<ProfileRuntime, WireShared>();
  const byTransport = new Map<TransportName, readonly (readonly Endpoint[])[]>();
  const endpointsOf = (transport: TransportName): readonly (readonly Endpoint[])[] => {
    const known = byTransport.get(transport) ?? endpointsFor(spec.endpoints, transport).map(tokenEndpoints);
    byTransport.set(transport, known);
    return known;
  };
  return (profile, { endpoint: number, slot }, events) => {
    const { misbehave, timeoutMs, transport } = profile.plan;
    const byToken = endpointsOf(transport)[number] ?? [];
    const endpoint = byToken[slot % byToken.length];
    if (endpoint === undefined) throw new RangeError(`no endpoint ${number} for ${transport} among ${spec.endpoints.length}`);
    const common = shared.get(profile) ?? createWireShared(wire, profile.counters);
    shared.set(profile, common);
    const { connections, pipeline } = profile.rules;
    const config = { endpoint, pinned: spec.pinned, connections, pipeline, ...misbehave, openTimeoutMs: timeoutMs };
    return transportMap[transport].createChannel(config, events, common);
  };
}
