import { parseCpus } from '../go/cpus.js';
import type { ComposeReservations, ComposeService, Located } from '../model.js';
import type { Findings } from '../problem.js';
import type { Reservations, Resources } from '../swarm-types.js';
import { omitEmpty } from './omit.js';

export function convertResources(
  { name, deploy: { limits, reservations } }: ComposeService,
  findings: Findings,
): Resources {
  const path = `services.${name}.deploy.resources`;
  return omitEmpty<Resources>({
    Limits:
      limits &&
      omitEmpty({
        NanoCPUs: cpus(limits.cpus, `${path}.limits`, findings),
        MemoryBytes: limits.memoryBytes,
        Pids: limits.pids,
      }),
    Reservations: reservations && convertReservations(reservations, `${path}.reservations`, findings),
  });
}

function convertReservations(reservations: ComposeReservations, path: string, findings: Findings): Reservations {
  const generic = (reservations.generic ?? []).map((resource) => ({
    ...(resource === undefined
      ? {}
      : {
          DiscreteResourceSpec: omitEmpty<{ Kind?: string; Value?: number }>({
            Kind: resource.kind,
            Value: resource.value,
          }),
        }),
  }));
  return omitEmpty<Reservations>({
    NanoCPUs: cpus(reservations.cpus, path, findings),
    MemoryBytes: reservations.memoryBytes,
    GenericResources: generic,
  });
}

const MIN_NANO_CPUS = 1e6;

function cpus(text: Located<string> | undefined, path: string, findings: Findings): number | undefined {
  if (text === undefined) return undefined;
  const nano = parseCpus(text.value);
  if (nano === undefined) {
    findings.refuse(
      text.at,
      'INVALID_VALUE',
      `${path}.cpus`,
      `"${text.value}" is no number of processors`,
      'a number no finer than a billionth, as in "0.5"',
    );
  } else if (nano !== 0 && nano < MIN_NANO_CPUS) {
    findings.refuse(text.at, 'INVALID_VALUE', `${path}.cpus`, `${text.value} is less than the engine takes, 0.001`);
  }
  return nano;
}
