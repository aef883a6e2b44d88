import { MAX_REPLICAS, name, TARGET_SERVICE, wholeNumber } from '../keys/fields.js';
import type { FaultKind } from './fault-kind.js';

/** A service of the stack has another number of replicas for a while. */
export interface ScaleAction {
  readonly kind: 'scale';
  readonly service: string;
  readonly replicas: number;
}

const keys = {
  service: name.optional().describe(`The service to change, by its name in the stack file. Default ${TARGET_SERVICE}.`),
  replicas: wholeNumber(0, MAX_REPLICAS)
    .optional()
    .describe('With `kind: scale`: how many replicas the service has while the fault lasts.'),
};

export const scale: FaultKind<ScaleAction, typeof keys> = {
  description: 'gives a service of the stack another number of replicas',
  keys,
  resolve({ service = TARGET_SERVICE, replicas }, path, scenario) {
    if (replicas !== undefined) return { kind: 'scale', service, replicas };
    scenario.reportAtValue(
      path,
      'MISSING_KEY',
      'missing key `replicas`',
      '`kind: scale` needs the number of replicas: { at: 60s, kind: scale, replicas: 16, for: 60s }',
    );
    return undefined;
  },
  describe: ({ service, replicas }) => `scale ${service} to ${replicas} replicas`,
  subject: ({ service }) => service,
};
