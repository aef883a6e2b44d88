import { describe, expect, test } from '@jest/globals';
import { certificateAuthority } from '../../../tests/support/certificates.js';
import { planOf } from '../../../tests/support/scenarios/files.js';
import type { Plan } from '../plan.js';
import { transports } from '../transports.js';
import { allKeyPaths } from './describe-keys.js';

/**
 * Every key takes effect. One row for each key: a scenario that sets it, and the part of the plan that shows it.
 * A key without a row fails here. `tests/runs/keys.test.ts` and `tests/alone/keys.test.ts` show the effect of each key
 * in a run.
 */
interface Row {
  readonly set: Change;
  readonly shows: (plan: Plan) => unknown;
  readonly as: unknown;
}

interface Change {
  /** Lines at the top level. */
  readonly top?: string;
  /** Keys of the one workload. */
  readonly work?: string;
  /** Keys of its one operation. */
  readonly operation?: string;
  /** All of the stage but its name. */
  readonly stage?: string;
  /** The scenario's name. */
  readonly name?: string;
}

function textOf({
  top = '',
  work = '',
  operation = 'tool: echo',
  stage = 'duration: 10s',
  name = 's',
}: Change): string {
  const paced = /arrivals|thinkTime|idle/.test(work) ? '' : ', arrivals: { rate: 10/s }';
  const more = work === '' ? '' : `, ${work}`;
  const operations = /operations/.test(work) ? '' : `, operations: [{ ${operation} }]`;
  const workload = `  w: { profile: low-load${operations}${paced}${more} }`;
  return `name: ${name}\n${top}\nworkload:\n${workload}\nstages:\n  - { name: a, ${stage} }\n`;
}

function first(plan: Plan) {
  return plan.profiles[0];
}
function operation(plan: Plan) {
  return first(plan)?.operations[0];
}
function stage(plan: Plan) {
  return plan.stages[0];
}
function target(plan: Plan) {
  return plan.target;
}
function own(plan: Plan) {
  return plan.target.kind === 'reference' ? plan.target : undefined;
}
function tls(plan: Plan) {
  return plan.target.kind === 'url' ? plan.target.tls : undefined;
}
function tokens(plan: Plan) {
  return plan.target.kind === 'url' ? plan.target.tokens : undefined;
}
const authority = certificateAuthority();
const files = { 'ca.pem': authority.cert, 'ca.key': authority.key, 'tokens.txt': 'one\ntwo\n' };
const gatewayTop = 'target: { server: { url: "http://localhost/" }';
function called(plan: Plan) {
  const { prepare } = plan.upstreams ?? {};
  return prepare?.kind === 'call' ? prepare : undefined;
}
function fault(plan: Plan) {
  return plan.faults[0];
}
function scaling(plan: Plan) {
  return plan.faults.find((one) => one.kind === 'scale');
}
function struck(plan: Plan): readonly number[] {
  const one = fault(plan);
  return one !== undefined && 'target' in one && one.target.at === 'replicas' ? one.target.slots : [];
}
/** A fault of four replicas after a second, and the part of the plan's fault that the keys decide. */
function faulted(keys: string, as: Readonly<Record<string, unknown>>): Row {
  return {
    set: { top: `target: { replicas: 4 }\nfaults: [{ at: 1s, ${keys} }]` },
    shows: (plan) => Object.fromEntries(Object.entries(fault(plan) ?? {}).filter(([key]) => key in as)),
    as,
  };
}
function check(plan: Plan) {
  return plan.thresholds[0];
}
function think(plan: Plan) {
  return first(plan)?.arrivals;
}

const twoArms = 'arms: { a: {}, b: { replicas: 2, transport: websocket } }';

const rows: Readonly<Record<string, Row>> = {
  name: { set: { name: 'other' }, shows: (plan) => plan.scenario, as: 'other' },
  description: { set: { top: 'description: words' }, shows: (plan) => plan.description, as: 'words' },
  seed: { set: { top: 'seed: 7' }, shows: (plan) => plan.seed, as: 7 },
  target: {
    set: { top: 'target: {}' },
    shows: target,
    as: { kind: 'reference', replicas: 1, sticky: 'session', era: 'auto' },
  },
  'target.server': {
    set: { top: 'target: { server: sink }' },
    shows: target,
    as: { kind: 'sink', replicas: 1, sticky: 'session', era: 'auto' },
  },
  'target.server.url': {
    set: { top: 'target: { server: { url: "http://localhost:1/mcp" } }' },
    shows: target,
    as: { kind: 'url', urls: ['http://localhost:1/mcp'], headers: {}, era: 'auto' },
  },
  'target.server.image': {
    set: { top: 'target: { server: { image: my/server:1 }, replicas: 2 }' },
    shows: target,
    as: { kind: 'image', image: 'my/server:1', port: 3000, path: '/mcp', replicas: 2, sticky: 'session', era: 'auto' },
  },
  'target.server.port': {
    set: { top: 'target: { server: { image: x, port: 1 } }' },
    shows: (plan) => (plan.target.kind === 'image' ? plan.target.port : undefined),
    as: 1,
  },
  'target.server.path': {
    set: { top: 'target: { server: { image: x, path: /x } }' },
    shows: (plan) => (plan.target.kind === 'image' ? plan.target.path : undefined),
    as: '/x',
  },
  'target.startTimeout': {
    set: { top: 'target: { server: { command: [node] }, startTimeout: 2m }', work: 'transport: stdio' },
    shows: (plan) => (plan.target.kind === 'command' ? plan.target.server.startTimeoutMs : undefined),
    as: 120_000,
  },
  'target.server.command': {
    set: { top: 'target: { server: { command: [x, y] } }', work: 'transport: stdio' },
    shows: target,
    as: {
      kind: 'command',
      server: { command: ['x', 'y'], env: {}, inherited: {}, startTimeoutMs: 60_000 },
      era: 'auto',
    },
  },
  'target.server.env': {
    set: { top: 'target: { server: { command: [x], env: { A: "${TOKENS}" } } }' },
    shows: (plan) => (plan.target.kind === 'command' ? plan.target.server.env : undefined),
    as: { A: 'three' },
  },
  'target.replicas': { set: { top: 'target: { replicas: 3 }' }, shows: (plan) => own(plan)?.replicas, as: 3 },
  'target.gateway': {
    set: { top: 'target: { gateway: { sticky: none } }' },
    shows: (plan) => own(plan)?.sticky,
    as: 'none',
  },
  'target.gateway.sticky': {
    set: { top: 'target: { gateway: { sticky: cookie } }' },
    shows: (plan) => own(plan)?.sticky,
    as: 'cookie',
  },
  'target.era': { set: { top: 'target: { era: legacy }' }, shows: (plan) => plan.target.era, as: 'legacy' },
  'target.headers': {
    set: { top: 'target: { server: { url: "http://localhost/" }, headers: { x: y } }' },
    shows: (plan) => (plan.target.kind === 'url' ? plan.target.headers : undefined),
    as: { x: 'y' },
  },
  'target.tls': {
    set: { top: 'target: { server: { url: "https://localhost/" }, tls: { insecure: true } }' },
    shows: tls,
    as: { insecure: true },
  },
  'target.tls.ca': {
    set: { top: 'target: { server: { url: "https://localhost/" }, tls: { ca: ca.pem } }' },
    shows: tls,
    as: { ca: authority.cert, insecure: false },
  },
  'target.tls.cert': {
    set: { top: 'target: { server: { url: "https://localhost/" }, tls: { cert: ca.pem, key: ca.key } }' },
    shows: (plan) => tls(plan)?.cert,
    as: authority.cert,
  },
  'target.tls.key': {
    set: { top: 'target: { server: { url: "https://localhost/" }, tls: { cert: ca.pem, key: ca.key } }' },
    shows: (plan) => tls(plan)?.key,
    as: authority.key,
  },
  'target.tls.insecure': {
    set: { top: 'target: { server: { url: "https://localhost/" }, tls: { insecure: true } }' },
    shows: (plan) => plan.warnings.length,
    as: 1,
  },
  'target.auth': {
    set: { top: 'target: { server: { url: "http://localhost/" }, auth: { tokenFile: tokens.txt } }' },
    shows: tokens,
    as: ['one', 'two'],
  },
  'target.auth.tokenFile': {
    set: { top: 'target: { server: { url: "http://localhost/" }, auth: { tokenFile: tokens.txt } }' },
    shows: tokens,
    as: ['one', 'two'],
  },
  'target.auth.tokenEnv': {
    set: { top: 'target: { server: { url: "http://localhost/" }, auth: { tokenEnv: TOKENS } }' },
    shows: tokens,
    as: ['three'],
  },
  workload: { set: {}, shows: (plan) => plan.profiles.map(({ name }) => name), as: ['w'] },
  'workload.*.profile': { set: {}, shows: (plan) => first(plan)?.clients, as: 10 },
  stages: { set: {}, shows: (plan) => plan.stages.length, as: 1 },
  'stages.*.name': { set: {}, shows: (plan) => stage(plan)?.name, as: 'a' },
  'stages.*.duration': { set: { stage: 'duration: 3s' }, shows: (plan) => stage(plan)?.durationMs, as: 3000 },
  'stages.*.load': {
    set: { stage: 'duration: 3s, load: 40%' },
    shows: (plan) => stage(plan)?.segments,
    as: [{ startMs: 0, endMs: 3000, from: 0.4, to: 0.4 }],
  },
  'stages.*.load.from': {
    set: { stage: 'duration: 3s, load: { from: 10%, to: 1% }' },
    shows: (plan) => stage(plan)?.segments[0]?.from,
    as: 0.1,
  },
  'stages.*.load.to': {
    set: { stage: 'duration: 3s, load: { from: 10%, to: 1% }' },
    shows: (plan) => stage(plan)?.segments[0]?.to,
    as: 0.01,
  },
  'stages.*.load.steps': {
    set: { stage: 'load: { steps: [10%, 20%], hold: 1s }' },
    shows: (plan) => stage(plan)?.segments.map(({ from }) => from),
    as: [0.1, 0.2],
  },
  'stages.*.load.hold': {
    set: { stage: 'load: { steps: [10%, 20%], hold: 1s }' },
    shows: (plan) => stage(plan)?.durationMs,
    as: 2000,
  },
  'stages.*.measured': {
    set: { stage: 'duration: 1s, measured: false }\n  - { name: b, duration: 1s' },
    shows: (plan) => plan.stages.map(({ measured }) => measured),
    as: [false, true],
  },
  'stages.*.profiles': {
    set: { stage: 'duration: 1s, profiles: [w]' },
    shows: (plan) => stage(plan)?.profiles,
    as: ['w'],
  },
  'stages.*.scale': { set: { stage: 'duration: 1s, scale: rate' }, shows: (plan) => stage(plan)?.scale, as: 'rate' },
  faults: {
    set: {
      top: 'faults: [{ at: 1s, kind: scale, replicas: 3 }, { at: 0s, kind: scale, service: other, replicas: 0 }]',
    },
    shows: (plan) => plan.faults.map(({ id, atMs }) => [id, atMs]),
    as: [
      ['f1', 0],
      ['f2', 1000],
    ],
  },
  'faults.*.at': {
    set: { top: 'faults: [{ at: 4s, kind: scale, replicas: 3 }]' },
    shows: (plan) => fault(plan)?.atMs,
    as: 4000,
  },
  'faults.*.kind': {
    set: { top: 'faults: [{ at: 1s, kind: scale, replicas: 3 }]' },
    shows: (plan) => fault(plan)?.kind,
    as: 'scale',
  },
  'faults.*.for': {
    set: { top: 'faults: [{ at: 1s, kind: scale, replicas: 3, for: 2s }]' },
    shows: (plan) => fault(plan)?.untilMs,
    as: 3000,
  },
  'faults.*.service': {
    set: { top: 'faults: [{ at: 1s, kind: scale, service: other, replicas: 3 }]' },
    shows: (plan) => scaling(plan)?.service,
    as: 'other',
  },
  'faults.*.replicas': {
    set: { top: 'faults: [{ at: 1s, kind: scale, replicas: 0 }]' },
    shows: (plan) => scaling(plan)?.replicas,
    as: 0,
  },
  'faults.*.name': faulted('kind: leader, name: coup', { name: 'coup' }),
  'faults.*.stage': faulted('kind: leader, stage: a', { atMs: 1000 }),
  'faults.*.every': {
    set: { top: 'faults: [{ at: 1s, kind: leader, for: 1s, every: 4s }]' },
    shows: (plan) => plan.faults.map(({ atMs }) => atMs),
    as: [1000, 5000, 9000],
  },
  'faults.*.times': {
    set: { top: 'faults: [{ at: 1s, kind: leader, for: 1s, every: 4s, times: 2 }]' },
    shows: (plan) => plan.faults.map(({ atMs }) => atMs),
    as: [1000, 5000],
  },
  'faults.*.replica': faulted('kind: pause, replica: 3', { target: { at: 'replicas', slots: [3] } }),
  'faults.*.count': {
    set: { top: 'target: { replicas: 4 }\nfaults: [{ at: 1s, kind: pause, count: 3 }]' },
    shows: (plan) => struck(plan).length,
    as: 3,
  },
  'faults.*.fraction': {
    set: { top: 'target: { replicas: 4 }\nfaults: [{ at: 1s, kind: pause, fraction: 30% }]' },
    shows: (plan) => struck(plan).length,
    as: 2,
  },
  'faults.*.serving': faulted('kind: pause, serving: true', { target: { at: 'serving' } }),
  'faults.*.node': faulted('kind: drain, node: n2', { target: { at: 'node', node: 'n2' } }),
  'faults.*.leader': faulted('kind: drain, leader: true', { target: { at: 'leader' } }),
  'faults.*.gateway': faulted('kind: kill, gateway: true', { target: { at: 'gateway' } }),
  'faults.*.allowTotal': faulted('kind: pause, fraction: 100%, allowTotal: true', {
    target: { at: 'replicas', slots: [1, 2, 3, 4] },
  }),
  'faults.*.signal': faulted('kind: kill, signal: SIGHUP', { signal: 'SIGHUP' }),
  'faults.*.cpu': faulted('kind: cpu, cpu: 150%', { cpu: { from: 1.5, to: 1.5 } }),
  'faults.*.cpu.from': faulted('kind: cpu, cpu: { from: 10%, to: 90% }', { cpu: { from: 0.1, to: 0.9 } }),
  'faults.*.cpu.to': faulted('kind: cpu, cpu: { from: 10%, to: 80% }', { cpu: { from: 0.1, to: 0.8 } }),
  'faults.*.memory': faulted('kind: memory, memory: 1 KiB', { memory: { from: 1024, to: 1024 } }),
  'faults.*.memory.from': faulted('kind: memory, memory: { from: 2 KiB, to: 1 KiB }', {
    memory: { from: 2048, to: 1024 },
  }),
  'faults.*.memory.to': faulted('kind: memory, memory: { from: 2 KiB, to: 1 kB }', {
    memory: { from: 2048, to: 1000 },
  }),
  'faults.*.direction': faulted('kind: partition, direction: in', { direction: 'in' }),
  'faults.*.delay': faulted('kind: delay, delay: 80ms', { delay: { from: 80, to: 80 } }),
  'faults.*.delay.from': faulted('kind: delay, delay: { from: 10ms, to: 0ms }', { delay: { from: 10, to: 0 } }),
  'faults.*.delay.to': faulted('kind: delay, delay: { from: 0ms, to: 1s }', { delay: { from: 0, to: 1000 } }),
  'faults.*.jitter': faulted('kind: delay, delay: 80ms, jitter: 7ms', { jitterMs: 7 }),
  'faults.*.loss': faulted('kind: loss, loss: 5%', { loss: { from: 0.05, to: 0.05 } }),
  'faults.*.loss.from': faulted('kind: loss, loss: { from: 1%, to: 0% }', { loss: { from: 0.01, to: 0 } }),
  'faults.*.loss.to': faulted('kind: loss, loss: { from: 0%, to: 100% }', { loss: { from: 0, to: 1 } }),
  'faults.*.rate': faulted('kind: rate, rate: 9 kB/s', { rate: { from: 9000, to: 9000 } }),
  'faults.*.rate.from': faulted('kind: rate, rate: { from: 9 kB/s, to: 1 B/s }', { rate: { from: 9000, to: 1 } }),
  'faults.*.rate.to': faulted('kind: rate, rate: { from: 1 B/s, to: 2 B/s }', { rate: { from: 1, to: 2 } }),
  'faults.*.reset': faulted('kind: reset, reset: 25%', { reset: { from: 0.25, to: 0.25 } }),
  'faults.*.reset.from': faulted('kind: reset, reset: { from: 1%, to: 0% }', { reset: { from: 0.01, to: 0 } }),
  'faults.*.reset.to': faulted('kind: reset, reset: { from: 0%, to: 50% }', { reset: { from: 0, to: 0.5 } }),
  'faults.*.lookup': faulted('kind: dns, lookup: gateway, answer: nxdomain', { lookup: 'gateway' }),
  'faults.*.answer': faulted('kind: dns, lookup: x, answer: slow, delay: 2s', { delay: { from: 2000, to: 2000 } }),
  'faults.*.worker': faulted('kind: dns, lookup: x, answer: nxdomain, worker: 2', { worker: 2 }),
  'faults.*.image': faulted('kind: rolling-update, image: x:2', { image: 'x:2' }),
  'faults.*.environment': faulted('kind: rolling-update, environment: { A: b }', { environment: { A: 'b' } }),
  'faults.*.order': faulted('kind: rolling-update, order: start-first', { order: 'start-first' }),
  'faults.*.parallelism': faulted('kind: rolling-update, parallelism: 2', { parallelism: 2 }),
  thresholds: {
    set: { top: 'thresholds: [errors.count < 1]' },
    shows: check,
    as: {
      check: { text: 'errors.count < 1', metric: 'errors.count', labels: {}, comparison: '<', value: 1 },
      abortOnFail: false,
      afterMs: 0,
    },
  },
  'thresholds.*.check': {
    set: { top: 'thresholds: [{ check: errors.count < 1 }]' },
    shows: (plan) => check(plan)?.check.text,
    as: 'errors.count < 1',
  },
  'thresholds.*.abortOnFail': {
    set: { top: 'thresholds: [{ check: errors.count < 1, abortOnFail: true }]' },
    shows: (plan) => check(plan)?.abortOnFail,
    as: true,
  },
  'thresholds.*.after': {
    set: { top: 'thresholds: [{ check: errors.count < 1, after: 2s }]' },
    shows: (plan) => check(plan)?.afterMs,
    as: 2000,
  },
  stopWhen: { set: { top: 'stopWhen: [{ check: errors.rate > 1% }]' }, shows: (plan) => plan.stopWhen.length, as: 1 },
  'stopWhen.*.check': {
    set: { top: 'stopWhen: [{ check: errors.rate > 1% }]' },
    shows: (plan) => plan.stopWhen[0]?.check.value,
    as: 0.01,
  },
  'stopWhen.*.window': {
    set: { top: 'stopWhen: [{ check: errors.rate > 1%, window: 3s }]' },
    shows: (plan) => plan.stopWhen[0]?.windowMs,
    as: 3000,
  },
  quantiles: {
    set: { top: 'quantiles: [p99.9, p50]' },
    shows: (plan) => plan.quantiles,
    as: [50, 99.9],
  },
  compare: {
    set: { top: 'compare: [latency.p95 +10% and +2ms]' },
    shows: (plan) => plan.compare,
    as: [
      {
        text: 'latency.p95 +10% and +2ms',
        metric: 'latency.p95',
        labels: {},
        worse: 'higher',
        relative: 0.1,
        absolute: 2,
      },
    ],
  },
  'target.truth': {
    set: { top: 'target: { truth: { url: "http://localhost:1/stats" } }' },
    shows: (plan) => plan.truth,
    as: { url: 'http://localhost:1/stats' },
  },
  'target.truth.url': {
    set: { top: 'target: { truth: { url: "http://localhost:2/x" } }' },
    shows: (plan) => plan.truth?.url,
    as: 'http://localhost:2/x',
  },
  'target.truth.jsonPath': {
    set: { top: 'target: { truth: { url: "http://localhost:1/", jsonPath: "$.a[0].b" } }' },
    shows: (plan) => plan.truth?.jsonPath,
    as: ['a', 0, 'b'],
  },
  'target.truth.query': {
    set: { top: 'target: { truth: { url: "http://localhost:1/", query: sum(calls) } }' },
    shows: (plan) => plan.truth?.query,
    as: 'sum(calls)',
  },
  'target.truth.label': {
    set: { top: 'target: { truth: { url: "http://localhost:1/", query: calls, label: tool } }' },
    shows: (plan) => plan.truth?.label,
    as: 'tool',
  },
  'target.upstreams': {
    set: { top: `${gatewayTop}, upstreams: 2, prepare: [a] }` },
    shows: (plan) => plan.upstreams?.servers.map(({ name }) => name),
    as: ['upstream1', 'upstream2'],
  },
  'target.upstreams.count': {
    set: { top: `${gatewayTop}, upstreams: { count: 3 }, prepare: [a] }` },
    shows: (plan) => plan.upstreams?.servers.length,
    as: 3,
  },
  'target.upstreams.tools': {
    set: { top: `${gatewayTop}, upstreams: { count: 1, tools: 9 }, prepare: [a] }` },
    shows: (plan) => plan.upstreams?.servers[0]?.tools,
    as: 9,
  },
  'target.upstreams.toolBytes': {
    set: { top: `${gatewayTop}, upstreams: { count: 1, toolBytes: 900 }, prepare: [a] }` },
    shows: (plan) => plan.upstreams?.servers[0]?.toolBytes,
    as: 900,
  },
  'target.upstreams.schemaDepth': {
    set: { top: `${gatewayTop}, upstreams: { count: 1, schemaDepth: 4 }, prepare: [a] }` },
    shows: (plan) => plan.upstreams?.servers[0]?.schemaDepth,
    as: 4,
  },
  'target.upstreams.answerBytes': {
    set: { top: `${gatewayTop}, upstreams: { count: 1, answerBytes: 80 }, prepare: [a] }` },
    shows: (plan) => plan.upstreams?.servers[0]?.answerBytes,
    as: 80,
  },
  'target.upstreams.pageSize': {
    set: { top: `${gatewayTop}, upstreams: { count: 1, pageSize: 6 }, prepare: [a] }` },
    shows: (plan) => plan.upstreams?.servers[0]?.pageSize,
    as: 6,
  },
  'target.prepare': {
    set: { top: `${gatewayTop}, upstreams: 1, prepare: [./register] }` },
    shows: (plan) => plan.upstreams?.prepare,
    as: { kind: 'command', command: ['./register'] },
  },
  'target.prepare.url': {
    set: { top: `${gatewayTop}, upstreams: 1, prepare: { url: "http://localhost/s" } }` },
    shows: (plan) => called(plan)?.url,
    as: 'http://localhost/s',
  },
  'target.prepare.method': {
    set: { top: `${gatewayTop}, upstreams: 1, prepare: { url: "http://localhost/s", method: PUT } }` },
    shows: (plan) => called(plan)?.method,
    as: 'PUT',
  },
  'target.prepare.headers': {
    set: { top: `${gatewayTop}, upstreams: 1, prepare: { url: "http://localhost/s", headers: { a: b } } }` },
    shows: (plan) => called(plan)?.headers,
    as: { a: 'b' },
  },
  'target.prepare.body': {
    set: { top: `${gatewayTop}, upstreams: 1, prepare: { url: "http://localhost/s", body: { a: 1 } } }` },
    shows: (plan) => called(plan)?.body,
    as: { a: 1 },
  },
  'target.prepareTimeout': {
    set: { top: `${gatewayTop}, upstreams: 1, prepare: [a], prepareTimeout: 5s }` },
    shows: (plan) => plan.upstreams?.timeoutMs,
    as: 5000,
  },
  arms: {
    set: { top: twoArms },
    shows: (plan) => plan.arms?.map(({ name, target: { kind } }) => [name, kind]),
    as: [
      ['a', 'reference'],
      ['b', 'reference'],
    ],
  },
  'arms.*.transport': {
    set: { top: twoArms },
    shows: (plan) => plan.profiles.map(({ name, transport }) => [name, transport]),
    as: [
      ['w@a', 'streamable-http'],
      ['w@b', 'websocket'],
    ],
  },
  interleave: {
    set: { top: `${twoArms}\ninterleave: {}` },
    shows: (plan) => plan.stages.length,
    as: 6 * 2 * 2,
  },
  'interleave.blocks': {
    set: { top: `${twoArms}\ninterleave: { blocks: 7 }` },
    shows: (plan) => plan.stages.length,
    as: 7 * 2 * 2,
  },
  'interleave.settle': {
    set: { top: `${twoArms}\ninterleave: { settle: 4s }` },
    shows: (plan) => stage(plan)?.durationMs,
    as: 4300,
  },
  repeat: {
    set: { top: 'repeat: 3' },
    shows: (plan) => [plan.trials, plan.stages.map(({ trial }) => trial)],
    as: [3, [1, 2, 3]],
  },
  limits: {
    set: { top: 'limits: {}' },
    shows: (plan) => plan.limits,
    as: {
      clients: 10_000,
      ratePerSecond: 500_000,
      durationMs: 86_400_000,
      bytes: 1024 ** 4,
      answerBytes: 1024 ** 2 * 16,
    },
  },
  'limits.clients': { set: { top: 'limits: { clients: 10 }' }, shows: (plan) => plan.limits.clients, as: 10 },
  'limits.rate': { set: { top: 'limits: { rate: 100/s }' }, shows: (plan) => plan.limits.ratePerSecond, as: 100 },
  'limits.duration': { set: { top: 'limits: { duration: 1m }' }, shows: (plan) => plan.limits.durationMs, as: 60_000 },
  'limits.bytes': { set: { top: 'limits: { bytes: 1 MB }' }, shows: (plan) => plan.limits.bytes, as: 1_000_000 },
  'limits.answer': {
    set: { top: 'limits: { answer: 1 MB }' },
    shows: (plan) => plan.limits.answerBytes,
    as: 1_000_000,
  },
  preflight: {
    set: { top: 'preflight: {}' },
    shows: (plan) => plan.preflight,
    as: { calls: 'require', timeoutMs: 10_000 },
  },
  'preflight.calls': { set: { top: 'preflight: { calls: skip }' }, shows: (plan) => plan.preflight.calls, as: 'skip' },
  'preflight.timeout': {
    set: { top: 'preflight: { timeout: 1m }' },
    shows: (plan) => plan.preflight.timeoutMs,
    as: 60_000,
  },
  onWorkerLoss: { set: { top: 'onWorkerLoss: replace' }, shows: (plan) => plan.onWorkerLoss, as: 'replace' },
  drain: { set: { top: 'drain: 6s' }, shows: (plan) => plan.drainMs, as: 6000 },
  'profile.name': { set: {}, shows: (plan) => first(plan)?.name, as: 'w' },
  'profile.description': {
    set: { work: 'description: words' },
    shows: (plan) => first(plan)?.description,
    as: 'words',
  },
  'profile.clients': { set: { work: 'clients: 3' }, shows: (plan) => first(plan)?.clients, as: 3 },
  'profile.transport': {
    set: { work: 'transport: websocket' },
    shows: (plan) => first(plan)?.transport,
    as: 'websocket',
  },
  'profile.gateway': { set: { work: 'gateway: { sticky: none }' }, shows: (plan) => first(plan)?.sticky, as: 'none' },
  'profile.gateway.sticky': {
    set: { work: 'gateway: { sticky: cookie }' },
    shows: (plan) => first(plan)?.sticky,
    as: 'cookie',
  },
  'profile.era': { set: { work: 'era: modern' }, shows: (plan) => first(plan)?.era, as: 'modern' },
  'profile.session': {
    set: { work: 'session: per-request' },
    shows: (plan) => first(plan)?.session,
    as: { mode: 'per-request' },
  },
  'profile.session.mode': {
    set: { work: 'session: { mode: churn, every: 1 operation }' },
    shows: (plan) => first(plan)?.session.mode,
    as: 'churn',
  },
  'profile.session.size': {
    set: { work: 'session: { mode: pool, size: 4 }' },
    shows: (plan) => first(plan)?.session,
    as: { mode: 'pool', size: 4 },
  },
  'profile.session.every': {
    set: { work: 'session: { mode: churn, every: 2m }' },
    shows: (plan) => first(plan)?.session,
    as: { mode: 'churn', every: { ms: 120_000 } },
  },
  'profile.arrivals': {
    set: { work: 'arrivals: { rate: 3/s }' },
    shows: think,
    as: { model: 'open', ratePerSecond: 3, spacing: 'uniform' },
  },
  'profile.arrivals.rate': {
    set: { work: 'arrivals: { rate: 30/min }' },
    shows: think,
    as: { model: 'open', ratePerSecond: 0.5, spacing: 'uniform' },
  },
  'profile.arrivals.spacing': {
    set: { work: 'arrivals: { spacing: poisson }' },
    shows: think,
    as: { model: 'open', ratePerSecond: 10, spacing: 'poisson' },
  },
  'profile.thinkTime': {
    set: { work: 'thinkTime: 0ms' },
    shows: think,
    as: { model: 'closed', thinkTime: { kind: 'none' } },
  },
  'profile.thinkTime.min': {
    set: { work: 'thinkTime: { min: 1ms, max: 2ms }' },
    shows: think,
    as: { model: 'closed', thinkTime: { kind: 'uniform', minMs: 1, maxMs: 2 } },
  },
  'profile.thinkTime.max': {
    set: { work: 'thinkTime: { min: 1ms, max: 3ms }' },
    shows: think,
    as: { model: 'closed', thinkTime: { kind: 'uniform', minMs: 1, maxMs: 3 } },
  },
  'profile.thinkTime.mean': {
    set: { work: 'thinkTime: { mean: 4ms, distribution: exponential }' },
    shows: think,
    as: { model: 'closed', thinkTime: { kind: 'exponential', meanMs: 4 } },
  },
  'profile.thinkTime.distribution': {
    set: { work: 'thinkTime: { mean: 5ms, distribution: exponential }' },
    shows: think,
    as: { model: 'closed', thinkTime: { kind: 'exponential', meanMs: 5 } },
  },
  'profile.maxInFlight': {
    set: { work: 'maxInFlight: 5' },
    shows: (plan) => [first(plan)?.maxInFlight, first(plan)?.connections],
    as: [5, 5],
  },
  'profile.connections': {
    set: { work: 'connections: 3' },
    shows: (plan) => [first(plan)?.maxInFlight, first(plan)?.connections],
    as: [3, 3],
  },
  'profile.pipeline': {
    set: { work: 'pipeline: 16, connections: 2' },
    shows: (plan) => [first(plan)?.maxInFlight, first(plan)?.pipeline],
    as: [32, 16],
  },
  'profile.pacing': { set: { work: 'pacing: spin' }, shows: (plan) => first(plan)?.pacing, as: 'spin' },
  'profile.timeout': { set: { work: 'timeout: 9s' }, shows: (plan) => first(plan)?.timeoutMs, as: 9000 },
  'profile.onClose': { set: { work: 'onClose: reset' }, shows: (plan) => first(plan)?.onClose, as: 'reset' },
  'profile.operations': { set: {}, shows: (plan) => first(plan)?.operations.length, as: 1 },
  'profile.operations.tools': {
    set: { work: 'operations: { tools: auto }' },
    shows: (plan) => operation(plan),
    as: {
      name: 'tools: auto',
      method: 'tools/call',
      params: { kind: 'constant', json: '{}' },
      weight: 1,
      everyTool: true,
    },
  },
  'profile.operations.*.name': {
    set: { operation: 'tool: echo, name: shout' },
    shows: (plan) => operation(plan)?.name,
    as: 'shout',
  },
  'profile.operations.*.tool': {
    set: { operation: 'tool: x' },
    shows: operation,
    as: {
      name: 'x',
      method: 'tools/call',
      params: { kind: 'constant', json: '{"name":"x","arguments":{}}' },
      target: 'x',
      weight: 1,
    },
  },
  'profile.operations.*.resource': {
    set: { operation: 'resource: "a://b"' },
    shows: operation,
    as: {
      name: 'a://b',
      method: 'resources/read',
      params: { kind: 'constant', json: '{"uri":"a://b"}' },
      target: 'a://b',
      weight: 1,
    },
  },
  'profile.operations.*.prompt': {
    set: { operation: 'prompt: p' },
    shows: operation,
    as: {
      name: 'p',
      method: 'prompts/get',
      params: { kind: 'constant', json: '{"name":"p"}' },
      target: 'p',
      weight: 1,
    },
  },
  'profile.operations.*.ping': {
    set: { operation: 'ping: true' },
    shows: operation,
    as: { name: 'ping', method: 'ping', params: { kind: 'constant', json: '{}' }, weight: 1 },
  },
  'profile.operations.*.list': {
    set: { operation: 'list: prompts' },
    shows: operation,
    as: { name: 'prompts/list', method: 'prompts/list', params: { kind: 'constant', json: '{}' }, weight: 1 },
  },
  'profile.operations.*.subscribe': {
    set: { operation: 'tool: echo }, { subscribe: "a://b/{{ client 3 }}"' },
    shows: (plan) => first(plan)?.operations[1],
    as: {
      name: 'a://b/{{ client 3 }}',
      method: 'resources/subscribe',
      params: {
        kind: 'object',
        entries: [['uri', { kind: 'string', parts: ['a://b/', { name: 'client', modulo: 3 }] }]],
      },
      weight: 0,
    },
  },
  'profile.operations.*.progress': {
    set: { operation: 'tool: x, progress: true' },
    shows: (plan) => operation(plan)?.params,
    as: {
      kind: 'object',
      entries: [
        ['name', { kind: 'constant', json: '"x"' }],
        ['arguments', { kind: 'constant', json: '{}' }],
        [
          '_meta',
          {
            kind: 'object',
            entries: [['progressToken', { kind: 'string', parts: [{ name: 'client' }, '-', { name: 'seq' }] }]],
          },
        ],
      ],
    },
  },
  'profile.stream': {
    set: { operation: 'tool: echo }, { subscribe: "a://b"' },
    shows: (plan) => first(plan)?.stream,
    as: { away: [], resume: true },
  },
  'profile.stream.open': {
    set: { work: 'stream: { open: true }' },
    shows: (plan) => first(plan)?.stream,
    as: { away: [], resume: true },
  },
  'profile.stream.away': {
    set: { work: 'stream: { open: true, away: [a] }' },
    shows: (plan) => first(plan)?.stream?.away,
    as: ['a'],
  },
  'profile.stream.resume': {
    set: { work: 'stream: { open: true, resume: false }' },
    shows: (plan) => first(plan)?.stream?.resume,
    as: false,
  },
  'profile.operations.*.arguments': {
    set: { operation: 'prompt: p, arguments: { n: "{{ client }}" }' },
    shows: (plan) => operation(plan)?.params,
    as: {
      kind: 'object',
      entries: [
        ['name', { kind: 'constant', json: '"p"' }],
        ['arguments', { kind: 'object', entries: [['n', { kind: 'string', parts: [{ name: 'client' }] }]] }],
      ],
    },
  },
  'profile.operations.*.expect': {
    set: { operation: 'tool: x, expect: { contains: a }' },
    shows: (plan) => operation(plan)?.expect,
    as: { contains: ['a'], equals: [] },
  },
  'profile.operations.*.validate': {
    set: { operation: 'tool: x, validate: all' },
    shows: (plan) => operation(plan)?.validate,
    as: 'all',
  },
  'profile.operations.*.expect.contains': {
    set: { operation: 'tool: x, expect: { contains: [a, b] }' },
    shows: (plan) => operation(plan)?.expect?.contains,
    as: ['a', 'b'],
  },
  'profile.operations.*.expect.equals': {
    set: { operation: 'tool: x, expect: { equals: { "$.content[0][\'text\']": 5 } }' },
    shows: (plan) => operation(plan)?.expect?.equals,
    as: [{ text: "$.content[0]['text']", path: ['content', 0, 'text'], json: '5' }],
  },
  'profile.operations.*.expect.size': {
    set: { operation: 'tool: x, expect: { size: { min: 1 B } }' },
    shows: (plan) => operation(plan)?.expect,
    as: { contains: [], equals: [], minBytes: 1 },
  },
  'profile.operations.*.expect.size.min': {
    set: { operation: 'tool: x, expect: { size: { min: 2 B } }' },
    shows: (plan) => operation(plan)?.expect?.minBytes,
    as: 2,
  },
  'profile.operations.*.expect.size.max': {
    set: { operation: 'tool: x, expect: { size: { max: 1 KiB } }' },
    shows: (plan) => operation(plan)?.expect?.maxBytes,
    as: 1024,
  },
  'profile.operations.*.weight': {
    set: { operation: 'tool: x, weight: 2.5' },
    shows: (plan) => operation(plan)?.weight,
    as: 2.5,
  },
  'profile.misbehave': { set: { work: 'misbehave: {}' }, shows: (plan) => first(plan)?.misbehave, as: {} },
  'profile.misbehave.readRate': {
    set: { work: 'misbehave: { readRate: 1 KiB/s }' },
    shows: (plan) => first(plan)?.misbehave,
    as: { readBytesPerSecond: 1024 },
  },
  'profile.misbehave.writeRate': {
    set: { work: 'misbehave: { writeRate: 2 KiB/s }' },
    shows: (plan) => first(plan)?.misbehave,
    as: { writeBytesPerSecond: 2048 },
  },
  'profile.misbehave.abort': {
    set: { work: 'misbehave: { abort: 1% }' },
    shows: (plan) => first(plan)?.misbehave,
    as: { abort: { share: 0.01, kinds: ['mid-request', 'after-request', 'mid-answer'], how: 'close' } },
  },
  'profile.misbehave.abort.share': {
    set: { work: 'misbehave: { abort: { share: 3% } }' },
    shows: (plan) => first(plan)?.misbehave.abort?.share,
    as: 0.03,
  },
  'profile.misbehave.abort.kinds': {
    set: { work: 'misbehave: { abort: { share: 3%, kinds: [mid-answer] } }' },
    shows: (plan) => first(plan)?.misbehave.abort?.kinds,
    as: ['mid-answer'],
  },
  'profile.misbehave.abort.how': {
    set: { work: 'misbehave: { abort: { share: 3%, how: reset } }' },
    shows: (plan) => first(plan)?.misbehave.abort?.how,
    as: 'reset',
  },
  'profile.misbehave.malformed': {
    set: { work: 'misbehave: { malformed: 2% }' },
    shows: (plan) => first(plan)?.misbehave,
    as: {
      malformed: {
        share: 0.02,
        kinds: [...transports['streamable-http'].misbehaviour.malformed],
        oversizeBytes: 8 * 1024 ** 2,
      },
    },
  },
  'profile.misbehave.malformed.share': {
    set: { work: 'misbehave: { malformed: { share: 3% } }' },
    shows: (plan) => first(plan)?.misbehave.malformed?.share,
    as: 0.03,
  },
  'profile.misbehave.malformed.kinds': {
    set: { work: 'misbehave: { malformed: { share: 3%, kinds: [oversize] } }' },
    shows: (plan) => first(plan)?.misbehave.malformed?.kinds,
    as: ['oversize'],
  },
  'profile.misbehave.malformed.oversize': {
    set: { work: 'misbehave: { malformed: { share: 3%, oversize: 64 KiB } }' },
    shows: (plan) => first(plan)?.misbehave.malformed?.oversizeBytes,
    as: 65_536,
  },
  'profile.misbehave.idle': {
    set: { work: 'misbehave: { idle: 3s }' },
    shows: (plan) => [first(plan)?.misbehave, think(plan)],
    as: [{ idleMs: 3000 }, { model: 'closed', thinkTime: { kind: 'fixed', ms: 3000 } }],
  },
  'profile.misbehave.reconnect': {
    set: { work: 'misbehave: { reconnect: { every: 4s } }' },
    shows: (plan) => first(plan)?.misbehave,
    as: { reconnect: { everyMs: 4000, together: true, session: 'keep' } },
  },
  'profile.misbehave.reconnect.every': {
    set: { work: 'misbehave: { reconnect: { every: 1m } }' },
    shows: (plan) => first(plan)?.misbehave.reconnect?.everyMs,
    as: 60_000,
  },
  'profile.misbehave.reconnect.together': {
    set: { work: 'misbehave: { reconnect: { every: 4s, together: false } }' },
    shows: (plan) => first(plan)?.misbehave.reconnect?.together,
    as: false,
  },
  'profile.misbehave.reconnect.session': {
    set: { work: 'misbehave: { reconnect: { every: 4s, session: new } }' },
    shows: (plan) => first(plan)?.misbehave.reconnect?.session,
    as: 'new',
  },
};

test('every key has its row, and every row its key', () => {
  expect(Object.keys(rows).sort()).toEqual([...allKeyPaths()].sort());
});

describe('every key takes effect:', () => {
  test.each(Object.entries(rows))('%s', (_path, { set, shows, as }) => {
    expect(shows(planOf(textOf(set), { env: { TOKENS: 'three' } }, files))).toEqual(as);
  });
});
