import type { ComposeService } from '../model.js';
import type { Findings } from '../problem.js';
import type { ServiceMode } from '../swarm-types.js';
import { omitAbsent } from './omit.js';

export function convertMode({ name, deploy: { mode, replicas } }: ComposeService, findings: Findings): ServiceMode {
  const count = replicas?.value;
  switch (mode?.value) {
    case undefined:
    case 'replicated':
      return { Replicated: omitAbsent({ Replicas: count }) };
    case 'replicated-job':
      return { ReplicatedJob: omitAbsent({ MaxConcurrent: count, TotalCompletions: count }) };
    case 'global':
    case 'global-job':
      if (replicas !== undefined) {
        const path = `services.${name}.deploy.replicas`;
        findings.refuse(
          replicas.at,
          'CONFLICT',
          path,
          `cannot be given with mode ${mode.value}, which runs one task a node`,
          'leave it out, or use mode replicated',
        );
      }
      return mode.value === 'global' ? { Global: {} } : { GlobalJob: {} };
    default: {
      const path = `services.${name}.deploy.mode`;
      findings.refuse(
        mode?.at ?? { file: '', line: 1, column: 1 },
        'INVALID_VALUE',
        path,
        `there is no mode "${mode?.value}"`,
        'replicated, global, replicated-job or global-job',
      );
      return {};
    }
  }
}
