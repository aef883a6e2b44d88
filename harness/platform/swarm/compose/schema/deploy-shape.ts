import {
  duration,
  either,
  integer,
  listOf,
  nothing,
  notNegative,
  number,
  pairs,
  record,
  type Shape,
  type TextShape,
  text,
} from './shape.js';

/** Of a rollback the engine checks no times. */
function update(time: TextShape): Shape {
  return record({
    parallelism: integer,
    delay: time,
    failure_action: { kind: 'text', oneOf: ['pause', 'continue', 'rollback', ''] },
    monitor: time,
    max_failure_ratio: { kind: 'number', min: 0, max: 1 },
    'order@4': { kind: 'text', oneOf: ['start-first', 'stop-first'] },
  });
}

const resources = record({
  limits: record({ cpus: text, memory: text, 'pids@9': integer }),
  reservations: record({
    cpus: text,
    memory: text,
    'generic_resources@5': listOf(record({ discrete_resource_spec: record({ kind: text, value: number }) })),
  }),
});

export const deploy: Shape = either(
  record({
    mode: text,
    'endpoint_mode@2': { kind: 'text', oneOf: ['vip', 'dnsrr', ''] },
    replicas: integer,
    labels: pairs,
    update_config: update(notNegative),
    'rollback_config@7': update(duration),
    resources,
    restart_policy: record({
      condition: { kind: 'text', oneOf: ['none', 'on-failure', 'any', ''] },
      delay: notNegative,
      max_attempts: integer,
      window: notNegative,
    }),
    placement: record({
      constraints: listOf(text),
      'preferences@3': listOf(record({ spread: text })),
      'max_replicas_per_node@8': integer,
    }),
  }),
  nothing,
);
