import { type MessagePort, parentPort } from 'node:worker_threads';
import { createEngine, type ThreadEngine } from '../engine/engine.js';
import type { ChannelFactory, ProfileRuntime } from '../engine/profile-runtime.js';
import { createPacer } from '../load/pacer.js';
import { compileRequest } from '../mcp/compile-request.js';
import { LoopMonitor } from '../measure/loop-monitor.js';
import { transferables } from '../measure/snapshot.js';
import { sourceEndpoints, tokenEndpoints } from '../protocol/endpoints.js';
import type { Endpoint } from '../protocol/messages.js';
import { createEngineWire, createWireShared, type EngineWire, type WireShared } from '../transport/shared.js';
import { transportMap } from '../transports.js';
import { type FromThread, hrNowMs, type ProfileRoute, type ThreadSpec, type ToThread } from './thread-messages.js';

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
    transportMap[transport].prepare?.(routeOf(spec, number).pinned.era);
  const engine = createEngine({
    plan: spec.plan,
    places: spec.places,
    endpoints: (profile) => routeOf(spec, profile).endpoints,
    replicas: wire.replicas,
    joinMs: spec.joinMs,
    limits: spec.limits,
    clock: () => performance.now(),
    startMs: performance.now() + spec.startHrMs - hrNowMs(),
    runClock: { startHrMs: spec.startHrMs, errorMs: spec.clockErrorMs },
    loop,
    templates: (profile, number) =>
      profile.operations.map((operation, index) => compileRequest(operation, index, routeOf(spec, number).pinned)),
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

function routeOf({ routes }: ThreadSpec, profile: number): ProfileRoute {
  const route = routes[profile];
  if (route === undefined) throw new RangeError(`no way to the target for profile ${profile} of ${routes.length}`);
  return route;
}

function channels(spec: ThreadSpec, wire: EngineWire): ChannelFactory {
  const shared = new Map<ProfileRuntime, WireShared>();
  /** By number, token and source. */
  const byProfile = new Map<number, readonly (readonly (readonly Endpoint[])[])[]>();
  const endpointsOf = (profile: number): readonly (readonly (readonly Endpoint[])[])[] => {
    const known =
      byProfile.get(profile) ??
      routeOf(spec, profile).endpoints.map((endpoint) => tokenEndpoints(endpoint).map(sourceEndpoints));
    byProfile.set(profile, known);
    return known;
  };
  return (profile, { endpoint: number, slot }, events, listener) => {
    const { misbehave, onClose, timeoutMs, transport } = profile.plan;
    const { pinned } = routeOf(spec, profile.index);
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
