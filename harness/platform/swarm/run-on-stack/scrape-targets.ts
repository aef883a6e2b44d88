/** Which tasks of the stack have metrics, and where, for Prometheus (HTTP service discovery). */
import { type Stack, servicesOf } from '../stack/stack-objects.js';
import { runningTasks } from './running-tasks.js';

/** As Prometheus' `http_sd_configs` takes it. */
export interface ScrapeTarget {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

const PORT_LABEL = 'swarmbench.metrics.port';
const ROLE_LABEL = 'swarmbench.role';
/** Of the stack file, without the name of the stack. A task has an address in each of its networks. */
const NETWORK = 'monitoring';

/** Every running task whose service says at which port its metrics are. @throws StackError UNKNOWN_STACK */
export async function scrapeTargets(stack: Stack, signal: AbortSignal): Promise<readonly ScrapeTarget[]> {
  const services = await servicesOf(stack, signal);
  const measured = [...services].filter(([, { Spec }]) => /^\d+$/.test(Spec.Labels[PORT_LABEL] ?? ''));
  const tasks = await runningTasks(
    stack,
    services,
    measured.map(([name]) => name),
    signal,
  );
  return tasks.flatMap(({ service, slot, node, task, addresses }) => {
    const address = addresses.get(`${stack.name}_${NETWORK}`);
    const labels = services.get(service)?.Spec.Labels ?? {};
    if (address === undefined) return [];
    return [
      {
        targets: [`${address}:${labels[PORT_LABEL]}`],
        labels: {
          job: service,
          service,
          slot: String(slot),
          node,
          task,
          stack: stack.name,
          __meta_swarmbench_role: labels[ROLE_LABEL] ?? '',
        },
      },
    ];
  });
}
