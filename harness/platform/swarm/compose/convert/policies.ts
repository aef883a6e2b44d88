/** Restart, update and rollback. */
import { float32 } from '../go/float32.js';
import type { ComposeService, ComposeUpdateConfig } from '../model.js';
import type { Findings } from '../problem.js';
import type { RestartPolicy, UpdateConfig } from '../swarm-types.js';
import { omitAbsent, omitEmpty } from './omit.js';

/** `deploy.restart_policy`, or else what `restart` means in a Swarm. */
export function convertRestartPolicy(
  { name, restart, deploy: { restartPolicy } }: ComposeService,
  findings: Findings,
): RestartPolicy | undefined {
  if (restartPolicy !== undefined) {
    const { condition, delayNs, maxAttempts, windowNs } = restartPolicy;
    return omitAbsent<RestartPolicy>({
      Condition: condition,
      Delay: delayNs,
      MaxAttempts: maxAttempts,
      Window: windowNs,
    });
  }
  if (restart === undefined) return undefined;
  const { policy, retries } = /^(?<policy>[^:]+)(:(?<retries>[-+]?\d*))?$/.exec(restart.value)?.groups ?? {};
  switch (policy) {
    case 'no':
      return undefined;
    case 'always':
    case 'unless-stopped':
      return { Condition: 'any' };
    case 'on-failure':
      if (!retries?.startsWith('-')) return { Condition: 'on-failure', MaxAttempts: Number(retries ?? 0) };
  }
  findings.refuse(
    restart.at,
    'INVALID_VALUE',
    `services.${name}.restart`,
    `there is no restart policy "${restart.value}"`,
    'no, always, unless-stopped, on-failure or on-failure:N',
  );
  return undefined;
}

/** An empty block means something: one task at a time, which is what the engine would do without it as well. */
export function convertUpdateConfig(config: ComposeUpdateConfig | undefined): UpdateConfig | undefined {
  if (config === undefined) return undefined;
  return {
    Parallelism: config.parallelism ?? 1,
    ...omitEmpty<Pick<UpdateConfig, 'Delay' | 'FailureAction' | 'Monitor'>>({
      Delay: config.delayNs,
      FailureAction: config.failureAction,
      Monitor: config.monitorNs,
    }),
    MaxFailureRatio: float32(config.maxFailureRatio ?? 0),
    Order: config.order ?? '',
  };
}
