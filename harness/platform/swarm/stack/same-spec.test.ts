import { describe, expect, test } from '@jest/globals';
import { sameSpec } from './same-spec.js';

const spec = {
  Name: 'a',
  Labels: { x: 'y' },
  TaskTemplate: { ContainerSpec: { Image: 'i', Env: ['A=b'] }, ForceUpdate: 0 },
  Mode: { Replicated: { Replicas: 2 } },
};

describe('an update would change nothing', () => {
  test.each<[string, object, object]>([
    ['the same', {}, {}],
    ['absent, null and empty', { TaskTemplate: { a: null, b: '', c: [], d: {}, e: { f: [] } } }, { TaskTemplate: {} }],
    [
      'defaults that the engine fills in',
      { TaskTemplate: { RestartPolicy: { Delay: 1 } }, UpdateConfig: { Order: '' } },
      {
        TaskTemplate: { RestartPolicy: { Delay: 1, Condition: 'any', MaxAttempts: 0 }, Runtime: 'container' },
        UpdateConfig: { Order: 'stop-first', FailureAction: 'pause' },
      },
    ],
    ['one replica', { Mode: { Replicated: {} } }, { Mode: { Replicated: { Replicas: 1 } } }],
  ])('%s', (_, one, other) => {
    expect(sameSpec({ ...spec, ...one }, { ...spec, ...other })).toBe(true);
  });
});

describe('an update would change something', () => {
  test.each<[string, object]>([
    ['no replica', { Mode: { Replicated: { Replicas: 0 } } }],
    ['another mode', { Mode: { Global: {} } }],
    ['a label', { Labels: { x: 'z' } }],
    ['a label that reads like a default', { Labels: { x: 'y', Order: 'stop-first' } }],
    ['an empty label', { Labels: { x: 'y', empty: '' } }],
    [
      'the order of a list',
      { TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { Image: 'i', Env: ['B=c', 'A=b'] } } },
    ],
    ['a forced restart', { TaskTemplate: { ...spec.TaskTemplate, ForceUpdate: 1 } }],
    [
      'a false that is not the default',
      { TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, Init: false } } },
    ],
  ])('%s', (_, other) => {
    expect(sameSpec(spec, { ...spec, ...other })).toBe(false);
  });
});
