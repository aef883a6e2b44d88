import type { ComposeService } from '../model.js';
import type { CredentialSpec } from '../swarm-types.js';
import { type ConvertContext, scoped } from './context.js';

/** Windows only. `Config` holds the config's name until its id is known. */
export function convertCredentialSpec(
  service: ComposeService,
  { model, stack, findings }: ConvertContext,
): CredentialSpec | null {
  const spec = service.credentialSpec;
  if (spec === undefined) return null;
  const given = (['config', 'file', 'registry'] as const).filter((key) => spec[key] !== undefined);
  if (given.length > 1) {
    findings.refuse(
      spec.at,
      'CONFLICT',
      `services.${service.name}.credential_spec`,
      `cannot have ${given.join(' and ')} together`,
      'keep one',
    );
  }
  if (given.length === 0) return null;
  const scopedName = spec.config === undefined ? '' : scoped(stack, spec.config);
  const config = spec.config === undefined ? '' : (model.configs.get(spec.config)?.name ?? scopedName);
  // The CLI finds the config again by its key, with or without the stack before it, and by no other name.
  if (spec.config !== undefined && config !== spec.config && config !== scopedName) {
    findings.refuse(
      spec.at,
      'CONFLICT',
      `services.${service.name}.credential_spec.config`,
      `cannot be "${spec.config}", which has a \`name\` of its own`,
      'leave the name out',
    );
  }
  return { Config: config, File: spec.file ?? '', Registry: spec.registry ?? '' };
}
