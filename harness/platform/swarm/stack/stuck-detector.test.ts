import { describe, expect, test } from '@jest/globals';
import { service, type Task, task } from '../engine/answers.js';
import { progressOf, type ServiceView } from './service-progress.js';
import { StuckDetector } from './stuck-detector.js';

const nodes = new Set(['n1']);
const patience = { pendingMs: 1_000, endedMs: 100, failures: 3 };

describe('a service in trouble', () => {
  test('is given up after a number of failed tasks; earlier failures do not count', () => {
    const watch = watching({});
    const old = failed('old');
    expect(watch([old, waiting('a')], 0)).toBeUndefined();
    expect(watch([old, failed('a'), waiting('b')], 1)).toBeUndefined();
    expect(watch([old, failed('a'), failed('b'), waiting('c')], 2)).toBeUndefined();
    // The swarm forgets old tasks, the detector does not.
    expect(watch([failed('b'), failed('c'), waiting('d')], 3)).toBe('task 1 failed: exit (3) (3 times)');
  });

  test('may be rejected that often by every node', () => {
    const watch = watching({}, new Set(['n1', 'n2']));
    watch([], 0);
    for (const id of ['a', 'b', 'c', 'd', 'e']) expect(watch([rejected(id), waiting('next')], 1)).toBeUndefined();
    expect(watch([rejected('f'), waiting('next')], 1)).toMatch(/6 times/);
  });

  test('may wait for a node for a limited time', () => {
    const watch = watching({});
    const pending = of('a', 'pending', { Err: 'no suitable node' }, 'running');
    expect(watch([pending], 0)).toBeUndefined();
    expect(watch([pending], 999)).toBeUndefined();
    expect(watch([pending], 1_000)).toBe('task 1 pending: no suitable node');
  });

  test('is given up when its policy does not restart it, or when the restart delay is over', () => {
    const none = watching({ RestartPolicy: { Condition: 'none' } });
    none([], 0);
    expect(none([failed('a')], 0)).toBeUndefined();
    expect(none([failed('a')], 100)).toMatch(/not started again/);
    const delayed = watching({ RestartPolicy: { Delay: 2e9 } });
    delayed([], 0);
    delayed([failed('a')], 0);
    expect(delayed([failed('a')], 2_000)).toBeUndefined();
    expect(delayed([failed('a')], 2_100)).toMatch(/not started again/);
  });

  test('is left to the engine during an update', () => {
    const watch = watching({}, nodes, { UpdateStatus: { State: 'updating' } });
    watch([], 0);
    for (const id of ['a', 'b', 'c', 'd']) expect(watch([failed(id)], 9_999)).toBeUndefined();
  });
});

describe('a service is as wanted', () => {
  test.each<[string, object, readonly Task[], object]>([
    [
      'when each slot has a running task, also after failures',
      { Replicated: { Replicas: 1 } },
      [failed('a'), running('b')],
      { running: 1, wanted: 1, state: 'running' },
    ],
    ['when idle', { Replicated: { Replicas: 0 } }, [], { running: 0, wanted: 0, state: 'running' }],
    [
      'not when a task is missing',
      { Replicated: { Replicas: 2 } },
      [running('b')],
      { running: 1, wanted: 2, state: 'starting' },
    ],
    ['not when a global one has no task yet', { Global: {} }, [], { running: 0, wanted: 0, state: 'starting' }],
    [
      'not by tasks of a node that is down',
      { Replicated: { Replicas: 1 } },
      [{ ...running('b'), NodeID: 'gone' }],
      { running: 0, wanted: 1, state: 'starting' },
    ],
  ])('%s', (_, Mode, tasks, expected) => {
    expect(progressOf(view({}, tasks, { Mode }), nodes)).toMatchObject(expected);
  });
});

function watching(
  template: object,
  active: ReadonlySet<string> = nodes,
  more: object = {},
): (tasks: readonly Task[], nowMs: number) => string | undefined {
  const watch = new StuckDetector(patience);
  return (tasks, nowMs) => {
    const seen = view(template, tasks, {}, more);
    return watch.check(seen, progressOf(seen, active), active, nowMs);
  };
}

function view(template: object, tasks: readonly Task[], spec: object = {}, more: object = {}): ServiceView {
  const Spec = {
    Name: 'bench_one',
    Labels: {},
    TaskTemplate: template,
    Mode: { Replicated: { Replicas: 1 } },
    ...spec,
  };
  return {
    service: service.parse({ ID: 's', Version: { Index: 1 }, CreatedAt: '', UpdatedAt: '', Spec, ...more }),
    tasks,
    updateIsNew: true,
  };
}

function of(ID: string, State: string, status: object, DesiredState: string): Task {
  return task.parse({
    ID,
    ServiceID: 's',
    Slot: 1,
    NodeID: 'n1',
    CreatedAt: '',
    DesiredState,
    Status: { Timestamp: ID, State, ...status },
    Spec: {},
  });
}

function running(id: string): Task {
  return of(id, 'running', {}, 'running');
}

function waiting(id: string): Task {
  return of(id, 'ready', {}, 'ready');
}

function failed(id: string): Task {
  return of(id, 'failed', { Err: 'exit (3)' }, 'shutdown');
}

function rejected(id: string): Task {
  return of(id, 'rejected', { Err: 'No such image: x' }, 'shutdown');
}
