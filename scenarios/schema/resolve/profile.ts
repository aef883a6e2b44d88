import { checkNode, validParts } from '../keys/issues.js';
import { profileSchema } from '../keys/profile-schema.js';
import type { Era, ProfilePlan } from '../plan.js';
import type { MapNode } from '../source/node.js';
import { isTransport, type TransportName } from '../transports.js';
import { resolveArrivals, resolveSession, resolveWindow } from './client-behaviour.js';
import type { Report } from './context.js';
import { Part } from './context.js';
import { resolveMisbehave } from './misbehave.js';
import { resolveOperations } from './operations.js';
import { resolveStream } from './stream.js';

export interface ProfileContext {
  readonly era: Era;
  /** Names of the scenario's stages. */
  readonly stages: readonly string[];
  readonly scaleMs: (ms: number) => number;
  readonly report: Report;
  readonly warn: (warning: string) => void;
  /** Of the target, for a profile that names none. */
  readonly transport: TransportName | undefined;
}

/**
 * A merged profile into its plan; undefined when anything in it is wrong, all of which is reported.
 * @param prefix its path in the scenario, such as `workload.flood`
 */
export function resolveProfile(
  node: MapNode,
  prefix: string,
  firstSlot: number,
  context: ProfileContext,
): ProfilePlan | undefined {
  let wrong = false;
  const report: Report = (problem) => {
    wrong = true;
    context.report(problem);
  };
  const part = new Part(node, prefix, report);
  const checked = checkNode(profileSchema, node, prefix);
  if (!checked.ok) {
    checked.problems.forEach(report);
    const { operations } = validParts(profileSchema, node);
    if (operations !== undefined) resolveOperations(operations, part, context.era);
    return undefined;
  }
  const source = checked.value;
  const operations = resolveOperations(source.operations, part, source.era ?? context.era);
  const session = resolveSession(source, part, context.scaleMs);
  const arrivals = resolveArrivals(source, operations, part, context.scaleMs);
  const misbehave = resolveMisbehave(source, part, context.scaleMs);
  const transport = part.has(['transport']) ? source.transport : (context.transport ?? source.transport);
  const stream = resolveStream(source, operations, part, { era: context.era, stages: context.stages, transport });
  const window = resolveWindow(source, part, context.warn);
  if (wrong || session === undefined || arrivals === undefined || !isTransport(transport)) return undefined;
  if (session.mode === 'pool' && session.size > source.clients) {
    context.warn(
      `profile ${source.name}: a pool of ${session.size} sessions for ${source.clients} clients: ${source.clients} sessions are used`,
    );
  }
  return {
    name: source.name,
    description: source.description ?? '',
    clients: source.clients,
    firstSlot,
    transport,
    ...(source.gateway === undefined ? {} : { sticky: source.gateway.sticky }),
    ...(source.era === undefined ? {} : { era: source.era }),
    session,
    arrivals,
    ...window,
    pacing: source.pacing,
    timeoutMs: source.timeout,
    onClose: source.onClose,
    operations,
    misbehave,
    ...(stream === undefined ? {} : { stream }),
  };
}
