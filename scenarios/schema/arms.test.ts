import { describe, expect, test } from '@jest/globals';
import { planOf, problemsOf } from '../../tests/support/scenarios/files.js';
import { allocate } from './allocate.js';
import { connectionsIn, expectedOperations } from './offered-load.js';
import type { Plan } from './plan.js';

const text = `name: s
workload:
  caller: { profile: low-load, clients: 5, arrivals: { rate: 10/s, spacing: poisson } }
  other: { profile: low-load, clients: 3 }
arms:
  direct: { server: { url: "http://localhost:1/mcp" } }
  gateway: { server: { url: "http://localhost:2/mcp" }, headers: { x-key: one } }
  third: { replicas: 2, transport: websocket }
stages:
  - { name: warm, duration: 3s, measured: false }
  - { name: ramp, duration: 20s, load: { from: 20%, to: 100% } }
  - { name: solo, duration: 40s, profiles: [other] }
`;
const arms = ['direct', 'gateway', 'third'];

function turns(plan: Plan, stage: string, measured = true): readonly (readonly [arm?: string, block?: number])[] {
  return plan.stages
    .filter((one) => one.name === stage && one.measured === measured)
    .map(({ arm, block }) => [arm, block] as const)
    .map(([arm, block]) => (block === undefined ? [arm ?? ''] : [arm ?? '', block]));
}

describe('arms', () => {
  const plan = planOf(text);

  test('each has a target of its own, with what it does not say from the scenario', () => {
    expect(plan.arms?.map(({ name, target }) => [name, target.kind])).toEqual([
      ['direct', 'url'],
      ['gateway', 'url'],
      ['third', 'reference'],
    ]);
    expect(plan.arms?.[1]?.target).toMatchObject({ urls: ['http://localhost:2/mcp'], headers: { 'x-key': 'one' } });
    expect(plan.arms?.[2]?.target).toMatchObject({ replicas: 2 });
    expect(plan.target).toEqual(plan.arms?.[0]?.target);
  });

  test('each has copies of the profiles, with the same slots', () => {
    expect(plan.profiles.map(({ name, arm, firstSlot }) => [name, arm, firstSlot])).toEqual(
      arms.flatMap((arm) => [
        [`caller@${arm}`, arm, 0],
        [`other@${arm}`, arm, 5],
      ]),
    );
    expect(plan.profiles.map(({ transport }) => transport)).toEqual([
      ...Array.from({ length: 4 }, () => 'streamable-http'),
      ...Array.from({ length: 2 }, () => 'websocket'),
    ]);
  });

  test('in each block every arm has one turn, and the next block has the opposite order', () => {
    const order = turns(plan, 'ramp');
    expect(order).toHaveLength(6 * 3);
    for (let block = 1; block <= 6; block += 1) {
      const here = order.filter(([, number]) => number === block).map(([arm]) => arm);
      expect([...here].sort()).toEqual(arms);
      const next = order.filter(([, number]) => number === block + 1).map(([arm]) => arm);
      if (block % 2 === 1) expect(next).toEqual([...here].reverse());
    }
    expect(new Set(Array.from({ length: 3 }, (_, pair) => order[pair * 6]?.[0])).size).toBeGreaterThan(1);
  });

  test('a turn lasts three seconds or more, unless there would be less than six', () => {
    expect(turns(plan, 'ramp')).toHaveLength(6 * 3);
    expect(turns(plan, 'solo')).toHaveLength(12 * 3);
    expect(turns(plan, 'warm', false)).toHaveLength(3);
    expect(turns(planOf(`${text}interleave: { blocks: 9 }\n`), 'ramp')).toHaveLength(27);
  });

  test('every arm gets all of the load, whoever else has had his turn', () => {
    const whole = planOf(text.replace(/arms:[\s\S]*?stages:/, 'stages:'));
    const operations = (of: Plan, profile: string, stage: string): number =>
      expectedOperations(of)
        .filter((one) => one.profile === profile && of.stages[one.stage]?.name === stage)
        .reduce((sum, one) => sum + (one.operations ?? 0), 0);
    for (const stage of ['warm', 'ramp', 'solo'])
      for (const profile of ['caller', 'other'])
        for (const arm of arms)
          expect(operations(plan, `${profile}@${arm}`, stage)).toBeCloseTo(operations(whole, profile, stage), 6);
  });

  test('stages follow each other without gaps, and before each turn the arm settles', () => {
    for (const [at, { startMs, durationMs, segments, arm, block }] of plan.stages.entries()) {
      const before = plan.stages[at - 1];
      expect(startMs).toBe(before === undefined ? 0 : before.startMs + before.durationMs);
      expect(segments[0]?.startMs).toBe(startMs);
      expect(segments.at(-1)?.endMs).toBe(startMs + durationMs);
      if (block !== undefined) expect(before).toMatchObject({ arm, measured: false, durationMs: 1300 });
    }
  });

  test('the clients of a profile are dealt to the same workers in every arm, and count once', () => {
    for (const share of allocate(plan.profiles, 2)) {
      const ofArm = arms.map((_, arm) =>
        share
          .filter(({ profile }) => profile >> 1 === arm)
          .map(({ profile, ...set }) => ({ ...set, profile: profile % 2 })),
      );
      expect(ofArm[1]).toEqual(ofArm[0]);
      expect(ofArm[2]).toEqual(ofArm[0]);
    }
    expect(connectionsIn(plan.profiles)).toBe(connectionsIn(plan.profiles.slice(0, 2)));
  });

  test('thresholds name an arm, or all arms of a profile', () => {
    const checked = `${text}thresholds: ['latency.p95{arm="gateway",profile="caller"} < 1s']\n`;
    expect(planOf(checked).thresholds[0]?.check.labels).toEqual({ arm: 'gateway', profile: 'caller' });
    expect(problemsOf(checked.replace('arm="gateway"', 'arm="gatway"'))).toContain('did you mean "gateway"?');
  });
});

describe('arms of the command line', () => {
  const plain = text.replace(/arms:[\s\S]*?stages:/, 'stages:');
  const [one, two] = [
    { name: 'one', url: 'http://localhost:1/mcp' },
    { name: 'two', url: 'ws://localhost:2/mcp' },
  ];

  test('are the arms of a scenario that has none, and the transport follows from the URL', () => {
    const plan = planOf(plain, { arms: [one, two, { ...one, url: 'http://localhost:3/mcp' }] });
    expect(plan.arms?.map(({ target }) => (target.kind === 'url' ? target.urls : []))).toEqual([
      ['http://localhost:1/mcp', 'http://localhost:3/mcp'],
      ['ws://localhost:2/mcp'],
    ]);
    expect(plan.profiles.map(({ transport }) => transport)).toEqual([
      ...['streamable-http', 'streamable-http'],
      ...['websocket', 'websocket'],
    ]);
  });

  test('replace the servers of those that it has', () => {
    const plan = planOf(text, { arms: [{ name: 'third', url: 'ws://localhost:9/mcp' }] });
    expect(plan.arms?.map(({ name, target }) => [name, target.kind])).toEqual([
      ['direct', 'url'],
      ['gateway', 'url'],
      ['third', 'url'],
    ]);
    expect(plan.warnings).toContainEqual(expect.stringContaining('replicas of the scenario is not used'));
  });

  test.each([
    ['one alone', { arms: [one] }, /--arm:1:1: one arm alone is compared with nothing/],
    ['beside --target', { arms: [one, two], targets: ['http://localhost:3/mcp'] }, /--target.*has arms/],
    ['without a name', { arms: [one, { ...two, name: 'a b' }] }, /`a b` is not a name/],
    ['elsewhere', { arms: [one, { ...two, url: 'http://example.com/mcp' }] }, /--arm.*--allow-target/s],
  ])('are refused %s', (_what, request, problem) => {
    expect(problemsOf(plain, request)).toMatch(problem);
  });
});

describe('what arms cannot have is refused where it stands:', () => {
  test.each([
    ['repeat: 2', /s\.yaml:13:1: the arms take turns already/],
    ['faults: [{ at: 1s, kind: scale, replicas: 2 }]', /s\.yaml:13:1: a fault would strike one arm/],
    ['limits: { duration: 2m }', /s\.yaml:13:11: the scenario asks for/],
    ['interleave: { blocks: 3 }', /s\.yaml:13:23: .*6/],
  ])('%s', (line, problem) => {
    expect(problemsOf(`${text}${line}\n`)).toMatch(problem);
  });

  test.each([
    ['third: { replicas: 2, transport: websocket }', 'third: { replicaz: 2 }', /s\.yaml:8:12: unknown key `replicaz`/],
    ['headers: { x-key: one }', 'replicas: 3', /s\.yaml:7:57: `replicas` is for servers that swarmbench starts/],
    ['headers: { x-key: one }', 'headers: { "x y": one }', /s\.yaml:7/],
    ['  third: { replicas: 2, transport: websocket }\n', '', /^$/],
    [/ {2}gateway.*\n {2}third.*\n/, '', /at least two arms/],
  ])('%s as %s', (from, to, problem) => {
    expect(problemsOf(text.replace(from, to))).toMatch(problem);
  });

  test('an interleaving without arms', () => {
    expect(problemsOf(`${text.replace(/arms:[\s\S]*?stages:/, 'stages:')}interleave: {}\n`)).toContain(
      'there are no arms to interleave',
    );
  });
});
