/** What can be tested of the swarm platform without an engine; the rest is in tests/stacks/run.test.ts. */
import { describe, expect, test } from '@jest/globals';

import { loadPlan } from '../../../scenarios/schema/load-plan.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { renderGateway, STICKINESS } from '../../../swarm/gateway/render-gateway.js';
import type { Service } from './engine/answers.js';
import { swarmRefusals } from './refusals.js';
import { type ContainerReading, ContainerUsageMeter } from './run-on-stack/agents.js';
import { countUp, gatewaySettings } from './run-on-stack/gateway.js';
import { IDLE_REPLICAS_LABEL, withReplicas } from './run-on-stack/scale-for-run.js';
import { withImage } from './run-on-stack/target-image.js';
import { workersByService, workersNeeded } from './run-on-stack/worker-count.js';

function planOf(scenario: string, sets: readonly string[] = [], targets: readonly string[] = []): Plan {
  const result = loadPlan({ scenario, sets, targets, env: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.plan;
}

describe('the workers of a plan', () => {
  const services = [
    'harness',
    'mcp-server',
    'client-sim-normal',
    'client-sim-low-load',
    'client-sim-high-load',
    'client-sim-flood',
  ];

  test.each<[string, readonly string[], number | undefined, Readonly<Record<string, number>>]>([
    ['smoke', [], undefined, { 'client-sim-low-load': 1 }],
    ['smoke', [], 3, { 'client-sim-low-load': 3 }],
    ['smoke', ['workload.low-load.clients=4500'], undefined, { 'client-sim-low-load': 3 }],
    // 10 clients x 5,000/s are 50,000/s.
    ['smoke', ['workload.low-load.arrivals.rate=5000/s'], undefined, { 'client-sim-low-load': 3 }],
    // Its profile is called `steady`, and no service is.
    ['baseline', [], undefined, { 'client-sim-normal': 1 }],
  ])('of %s with %j and %p workers are %j', (scenario, sets, given, expected) => {
    expect(Object.fromEntries(workersByService(planOf(scenario, sets), services, given))).toEqual(expected);
  });

  test.each([1, 2, 3, 7, 20])('%i in all are shared out by clients', (total) => {
    const plan = planOf('mixed-workload');
    const counts = workersByService(plan, services, total);
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(total);
    expect([...counts.values()].every((count) => count > 0)).toBe(true);
  });

  test('are never more than its clients', () => {
    const plan = planOf('smoke', ['workload.low-load.clients=2', 'workload.low-load.arrivals.rate=100000/s']);
    expect(workersNeeded(plan)).toBe(2);
  });

  test('come from the services that the stack has; without any the plan is refused', () => {
    expect([...workersByService(planOf('smoke'), ['client-sim-b', 'client-sim-a'], undefined)]).toEqual([
      ['client-sim-a', 1],
    ]);
    expect(() => workersByService(planOf('smoke'), ['mcp-server'], 1)).toThrow(
      expect.objectContaining({ code: 'STACK_INCOMPLETE' }),
    );
  });
});

describe('what the swarm platform refuses, by name:', () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['smoke', ['target.replicas=4', 'target.gateway.sticky=none'], [], []],
    ['smoke', ['target.server={ image: x }'], [], []],
    [
      'smoke',
      ['faults=[{ at: 1s, kind: scale, replicas: 3 }, { at: 1s, kind: scale, service: other, replicas: 3 }]'],
      [],
      [],
    ],
    [
      'smoke',
      [
        'faults=[{ at: 1s, kind: scale, service: harness, replicas: 3 }, ' +
          '{ at: 1s, kind: scale, service: client-sim-flood, replicas: 3 }]',
      ],
      [],
      [
        expect.stringContaining('scale harness to 3 replicas') as never,
        expect.stringContaining('scale client-sim-flood to 3 replicas') as never,
      ],
    ],
    [
      'smoke',
      ['faults=[{ at: 1s, kind: scale, replicas: 3 }]'],
      ['http://10.0.0.9:3000/mcp'],
      [expect.stringContaining('the target is a url') as never],
    ],
    [
      'smoke',
      ['target.upstreams=2', 'target.prepare=[./register]'],
      ['http://10.0.0.9:3000/mcp'],
      [expect.stringContaining('target.upstreams') as never],
    ],
    ['smoke', ['target.server=sink'], [], [expect.stringContaining('sink') as never]],
    ['smoke', [], ['http://10.0.0.9:3000/mcp'], []],
    [
      'smoke',
      [],
      ['http://localhost:3000/mcp', 'http://127.0.0.2/mcp'],
      [expect.stringContaining('localhost') as never, expect.stringContaining('127.0.0.2') as never],
    ],
  ])('%s %j %j', (scenario, sets, targets, expected) => {
    expect(swarmRefusals(planOf(scenario, sets, targets))).toEqual(expected);
  });
});

describe('a service that is scaled for a run', () => {
  const service = (
    replicas: number | undefined,
    labels: Readonly<Record<string, string>> = {},
  ): Pick<Service, 'Spec'> =>
    ({
      Spec: {
        Name: 'b_x',
        Labels: { own: 'yes', ...labels },
        TaskTemplate: { ForceUpdate: 3 },
        Mode: { Replicated: replicas === undefined ? {} : { Replicas: replicas } },
      },
    }) as unknown as Pick<Service, 'Spec'>;
  const again = (spec: object | undefined): Pick<Service, 'Spec'> => ({ Spec: spec }) as Pick<Service, 'Spec'>;

  test('keeps its idle replicas, however often it is scaled, and returns to them', () => {
    const up = withReplicas(service(2), 5);
    expect(up).toMatchObject({
      Labels: { own: 'yes', [IDLE_REPLICAS_LABEL]: '2' },
      Mode: { Replicated: { Replicas: 5 } },
      TaskTemplate: { ForceUpdate: 3 },
    });
    const further = withReplicas(again(up), 9);
    expect(further).toMatchObject({ Labels: { [IDLE_REPLICAS_LABEL]: '2' }, Mode: { Replicated: { Replicas: 9 } } });
    expect(withReplicas(again(further), undefined)).toEqual(service(2).Spec);
    expect(withReplicas(again(further), 2)).toEqual(service(2).Spec);
  });

  test.each<[Pick<Service, 'Spec'>, number | undefined]>([
    [service(2), 2],
    [service(undefined), 1],
    [service(0), undefined],
    [service(5, { [IDLE_REPLICAS_LABEL]: '2' }), 5],
  ])('is left alone when it is as wanted', (current, wanted) => {
    expect(withReplicas(current, wanted)).toBeUndefined();
  });

  test('must be one that has a number of replicas', () => {
    const everywhere = { Spec: { ...service(1).Spec, Mode: { Global: {} } } } as unknown as Pick<Service, 'Spec'>;
    expect(() => withReplicas(everywhere, 2)).toThrow(expect.objectContaining({ code: 'NOT_SCALABLE' }));
    expect(withReplicas(everywhere, undefined)).toBeUndefined();
  });
});

describe("a service that runs the user's image", () => {
  const own = {
    Name: 'b_mcp-server',
    Labels: {
      mine: 'yes',
      'swarmbench.mcp.port': '3000',
      'swarmbench.mcp.path': '/mcp',
      'swarmbench.metrics.port': '3000',
    },
    Mode: {},
    TaskTemplate: {
      ForceUpdate: 0,
      ContainerSpec: { Image: 'own:1', TTY: false, Configs: [], Secrets: [], Healthcheck: { Test: ['CMD', 'x'] } },
    },
  };
  const service = (spec: object | undefined): Pick<Service, 'Spec'> => ({
    Spec: JSON.parse(JSON.stringify(spec)) as Service['Spec'],
  });
  const theirs = { image: 'their/server:2', port: 8080, path: '/rpc' };

  test('has its endpoint in its labels, no health check of ours, and is not scraped', () => {
    const {
      Spec: {
        Labels,
        TaskTemplate: { ContainerSpec },
      },
    } = service(withImage(service(own), theirs));
    expect(Labels).toMatchObject({ mine: 'yes', 'swarmbench.mcp.port': '8080', 'swarmbench.mcp.path': '/rpc' });
    expect(Labels).not.toHaveProperty('swarmbench.metrics.port');
    expect(ContainerSpec).toEqual({ Image: 'their/server:2', TTY: false, Configs: [], Secrets: [] });
  });

  test('returns to what it was, however many images it has run', () => {
    const first = service(withImage(service(own), theirs));
    expect(withImage(first, theirs)).toBeUndefined();
    const second = service(withImage(first, { ...theirs, image: 'another', port: 1 }));
    expect(second.Spec).toMatchObject({
      Labels: { 'swarmbench.mcp.port': '1' },
      TaskTemplate: { ContainerSpec: { Image: 'another' } },
    });
    for (const left of [first, second]) expect(service(withImage(left, undefined)).Spec).toEqual(own);
  });

  test('is left alone when it is its own', () => {
    expect(withImage(service(own), undefined)).toBeUndefined();
  });
});

describe('a gateway', () => {
  test.each(
    STICKINESS.flatMap((sticky) => [
      { sticky },
      { sticky, port: 8000, streamPort: 9000, healthPath: undefined, maxServers: 8, service: 'mine' },
    ]),
  )('of ours is read back from its text: %j', (options) => {
    const text = renderGateway(options);
    expect(gatewaySettings(text)).toMatchObject(options);
  });

  test('that was written or changed by hand is not taken for ours', () => {
    expect(gatewaySettings('frontend x\n')).toBeUndefined();
    expect(gatewaySettings(renderGateway().replace('retries 2', 'retries 5'))).toBeUndefined();
  });

  test('sends to the servers of its statistics that are up', () => {
    const csv = `${[
      '# pxname,svname,qcur,status,',
      'mcp,FRONTEND,,OPEN,',
      'servers,mcp1,0,UP,',
      'servers,mcp2,0,UP 1/2,',
      'servers,mcp3,0,MAINT (resolution),',
      'servers,BACKEND,0,UP,',
      'stream_servers,stream1,0,UP,',
    ].join('\n')}\n`;
    expect(countUp(csv)).toBe(2);
    // The smallest backend counts: clients of one run may use several.
    expect(countUp(`${csv}servers_none,mcp1,0,UP,\nservers_none,mcp2,0,DOWN,\n`)).toBe(1);
    expect(countUp('')).toBe(0);
  });
});

describe('resource use between two readings', () => {
  const reading = (
    service: string,
    slot: string,
    task: string,
    at: number,
    cpuSeconds: number,
    bytes = 0,
  ): ContainerReading => ({
    labels: { service, slot, task },
    at,
    usage: {
      cpuSeconds,
      memoryBytes: 7,
      networks: { eth0: { receivedBytes: bytes, sentBytes: 2 * bytes }, eth1: { receivedBytes: bytes, sentBytes: 0 } },
    },
  });
  const meter = (): ContainerUsageMeter =>
    new ContainerUsageMeter((service) => {
      if (service === 'mcp-server') return 'target';
      return service === 'client-sim-normal' ? 'worker' : undefined;
    });

  test('is given for each slot of the named services, from the second reading on', () => {
    const use = meter();
    expect(use.samples([reading('mcp-server', '1', 'a', 1_000, 1), reading('gateway', '1', 'g', 1_000, 1)])).toEqual(
      [],
    );
    expect(
      use.samples([
        reading('mcp-server', '1', 'a', 3_000, 2, 100),
        reading('gateway', '1', 'g', 3_000, 9),
        reading('client-sim-normal', '1', 'w', 3_000, 9),
      ]),
    ).toEqual([
      {
        id: 'mcp-server.1',
        role: 'target',
        cpu: 0.5,
        memoryBytes: 7,
        receivedBytesPerSecond: 100,
        sentBytesPerSecond: 100,
      },
    ]);
  });

  test('is not given twice from one reading, and starts again when another task takes over a slot', () => {
    const use = meter();
    use.samples([reading('mcp-server', '1', 'a', 1_000, 5)]);
    expect(use.samples([reading('mcp-server', '1', 'a', 1_000, 5)])).toEqual([]);
    expect(use.samples([reading('mcp-server', '1', 'b', 2_000, 0.1)])).toEqual([]);
    expect(use.samples([reading('mcp-server', '1', 'b', 3_000, 0.3)])).toMatchObject([
      { id: 'mcp-server.1', cpu: expect.closeTo(0.2) },
    ]);
  });
});
