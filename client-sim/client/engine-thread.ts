import { type MessagePort, parentPort } from 'node:worker_threads';
import { createPacer } from '../load/pacer.js';
import { compileRequest } from '../mcp/compile-request.js';
import { LoopMonitor } from '../measure/loop-monitor.js';
import { transferables } from '../measure/snapshot.js';
import type { Endpoint } from '../protocol/messages.js';
import { createEngineWire, createWireShared, type EngineWire, type WireShared } from '../transport/shared.js';
import { sourceEndpoints } from '../transport/source-endpoints.js';
import { tokenEndpoints } from '../transport/token-endpoints.js';
import { transportMap } from '../transport/transports.js';
import type { ChannelFactory, ProfileRuntime } from './profile-runtime.js';
import { createThreadEngine, type ThreadEngine } from './thread-engine.js';
import { type FromThread, hrNowMs, type ThreadSpec, type ToThread, type Way } from './thread-messages.js';

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
  const wire = createEngineWire();
  for (const [number, { transport }] of spec.plan.profiles.entries())
    transportMap[transport].prepare?.(wayOf(spec, number).pinned.era);
  const engine = createThreadEngine({
    plan: spec.plan,
    places: spec.places,
    endpoints: (profile) => wayOf(spec, profile).endpoints,
    replicas: wire.replicas,
    joinMs: spec.joinMs,
    limits: spec.limits,
    clock: () => performance.now(),
    startMs: performance.now() + spec.startHrMs - hrNowMs(),
    runClock: { startHrMs: spec.startHrMs, errorMs: spec.clockErrorMs },
    loop,
    templates: (profile, number) =>
      profile.operations.map((operation, index) => compileRequest(operation, index, wayOf(spec, number).pinned)),
    createChannel: channels(spec, wire),
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

function wayOf({ ways }: ThreadSpec, profile: number): Way {
  const way = ways[profile];
  if (way === undefined) throw new RangeError(`no way to the target for profile ${profile} of ${ways.length}`);
  return way;
}

function channels(spec: ThreadSpec, wire: EngineWire): ChannelFactory {
  const shared = new Map<ProfileRuntime, WireShared>();
  /** By number, token and source. */
  const byProfile = new Map<number, readonly (readonly (readonly Endpoint[])[])[]>();
  const endpointsOf = (profile: number): readonly (readonly (readonly Endpoint[])[])[] => {
    const known =
      byProfile.get(profile) ??
      wayOf(spec, profile).endpoints.map((endpoint) => tokenEndpoints(endpoint).map(sourceEndpoints));
    byProfile.set(profile, known);
    return known;
  };
  return (profile, { endpoint: number, slot }, events, listener) => {
    const { misbehave, onClose, timeoutMs, transport } = profile.plan;
    const { pinned } = wayOf(spec, profile.index);
    const all = endpointsOf(profile.index);
    const byToken = all[number] ?? [];
    const bySource = byToken[slot % byToken.length] ?? [];
    // Not by the slot alone: with as many endpoints as sources each endpoint would be reached from one.
    const endpoint = bySource[Math.floor(slot / all.length) % bySource.length];
    if (endpoint === undefined) throw new RangeError(`no endpoint ${number} for profile ${profile.plan.name}`);
    const common = shared.get(profile) ?? createWireShared(wire, profile.counters);
    shared.set(profile, common);
    const { connections, pipeline } = profile.rules;
    const config = {
      endpoint,
      pinned,
      connections,
      pipeline,
      ...misbehave,
      resettable: onClose === 'reset',
      openTimeoutMs: timeoutMs,
      listener,
    };
    return transportMap[transport].createChannel(config, events, common);
  };
}
