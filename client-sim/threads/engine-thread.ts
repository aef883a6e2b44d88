import { type MessagePort, parentPort } from 'node:worker_threads';
import { createEngine, type Engine } from '../engine/engine.js';
import type { ChannelFactory, ProfileRuntime } from '../engine/profile-runtime.js';
import { createPacer } from '../load/pacer.js';
import { compileRequest } from '../mcp/compile-request.js';
import { RequestIds } from '../mcp/request-ids.js';
import { LoopMonitor } from '../measure/health/loop-monitor.js';
import { OwnShare } from '../measure/health/own-share.js';
import { transferables } from '../measure/snapshot.js';
import { sourceEndpoints, tokenEndpoints } from '../protocol/endpoints.js';
import { misbehavingIds } from '../protocol/id-ranges.js';
import type { Endpoint } from '../protocol/messages.js';
import { createProfileShared, createThreadShared, type ProfileShared, type ThreadShared } from '../transport/shared.js';
import { transportMap } from '../transports.js';
import { type FromThread, hrNowMs, type ProfileRoute, type ThreadSpec, type ToThread } from './thread-messages.js';

/** The program of an engine thread: one engine, its pacer, and the channels of its clients. */

if (parentPort === null) throw new TypeError('the engine runs in a worker thread');
listen(parentPort);

function listen(port: MessagePort): void {
  let engine: Engine | undefined;
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'start':
        engine = start(port, message.spec);
        return;
      case 'begin':
        engine?.begin(performance.now() + message.startHrMs - hrNowMs(), message.startHrMs);
        return;
      case 'add':
        engine?.add(message.clients, message.joinMs);
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

function start(port: MessagePort, spec: ThreadSpec): Engine {
  const loop = new LoopMonitor();
  const pacer = createPacer(spec.pacing, spec.ticks, spec.number);
  const report = (message: FromThread): void => {
    port.postMessage(message, 'snapshot' in message ? transferables(message.snapshot) : []);
  };
  const own = new OwnShare();
  const shared = createThreadShared({
    own,
    answerBytes: spec.plan.limits.answerBytes,
    ids: new RequestIds(spec.ids),
    misbehavingIds: new RequestIds(misbehavingIds(spec.ids)),
    log: (line) => report({ kind: 'log', line }),
  });
  for (const [index, { transport }] of spec.plan.profiles.entries())
    transportMap[transport].prepare?.(routeOf(spec, index).pinned.era);
  const engine = createEngine({
    plan: spec.plan,
    clients: spec.clients,
    endpoints: (profile) => routeOf(spec, profile).endpoints,
    replicas: shared.replicas,
    joinMs: spec.joinMs,
    limits: spec.limits,
    clock: () => performance.now(),
    startMs: performance.now() + spec.startHrMs - hrNowMs(),
    runClock: { startHrMs: spec.startHrMs, errorMs: spec.clockErrorMs },
    loop,
    own,
    templates: (profile, profileIndex) =>
      profile.operations.map((operation, index) =>
        compileRequest(operation, index, routeOf(spec, profileIndex).pinned),
      ),
    createChannel: channelFactory(spec, shared),
    onSnapshot: (snapshot) => report({ kind: 'snapshot', snapshot }),
    onLimit: (problem) => report({ kind: 'limit', problem }),
    onFinished: (snapshot) => {
      pacer.stop();
      loop.stop();
      report({ kind: 'finished', snapshot });
      port.close();
    },
  });
  pacer.start(
    engine.pump,
    () => own.beat(performance.now()),
    () => engine.nextMs,
  );
  if (spec.openFirst) openFirst(engine, report);
  return engine;
}

const OPENED_CHECK_MS = 50;

function openFirst(engine: Engine, report: (message: FromThread) => void): void {
  engine.openFirst();
  const timer = setInterval(() => {
    if (!engine.hasOpened) return;
    clearInterval(timer);
    report({ kind: 'opened' });
  }, OPENED_CHECK_MS);
  timer.unref();
}

function routeOf({ routes }: ThreadSpec, profile: number): ProfileRoute {
  const route = routes[profile];
  if (route === undefined) throw new RangeError(`no route to the target for profile ${profile} of ${routes.length}`);
  return route;
}

function channelFactory(spec: ThreadSpec, threadShared: ThreadShared): ChannelFactory {
  const sharedOf = new Map<ProfileRuntime, ProfileShared>();
  const endpoints = endpointChooser(spec);
  return (profile, { endpoint: number, slot }, events, listener) => {
    const { misbehave, onClose, timeoutMs, transport } = profile.plan;
    const endpoint = endpoints(profile.index, number, slot);
    if (endpoint === undefined) throw new RangeError(`no endpoint ${number} for profile ${profile.plan.name}`);
    const shared = sharedOf.get(profile) ?? createProfileShared(threadShared, profile.counters);
    sharedOf.set(profile, shared);
    const { connections, pipeline } = profile.rules;
    const config = {
      endpoint,
      pinned: routeOf(spec, profile.index).pinned,
      connections,
      pipeline,
      ...misbehave,
      resettable: onClose === 'reset',
      openTimeoutMs: Math.max(timeoutMs, endpoint.server?.startTimeoutMs ?? 0),
      listener,
    };
    return transportMap[transport].createChannel(config, events, shared);
  };
}

/**
 * Chooses for a client's slot which token and which source address it uses at an endpoint. Each combination is one
 * object for all channels, which keep what they know of an endpoint by that object.
 */
function endpointChooser(spec: ThreadSpec): (profile: number, number: number, slot: number) => Endpoint | undefined {
  /** By profile: by number, token and source. */
  const byProfile = spec.routes.map(({ endpoints }) =>
    endpoints.map((endpoint) => tokenEndpoints(endpoint).map(sourceEndpoints)),
  );
  return (profile, number, slot) => {
    const all = byProfile[profile] ?? [];
    const byToken = all[number] ?? [];
    const bySource = byToken[slot % byToken.length] ?? [];
    // Not by the slot alone: with as many endpoints as sources, each endpoint would be reached from only one.
    return bySource[Math.floor(slot / all.length) % bySource.length];
  };
}
