import type { OperationPlan, ProfilePlan } from '../../scenarios/schema/plan.js';
import { type SettledOperation, toolCall, withArguments } from '../protocol/settled-operation.js';
import { destructiveness, type ServerCatalogue } from './server-catalogue.js';

/** An operation as it will be called: with its arguments, and the headers that are made from them. */
interface SettledCall {
  readonly profile: ProfilePlan;
  readonly operation: OperationPlan;
  /** What the load must be told; undefined: nothing that is not in the plan. */
  readonly settled: SettledOperation | undefined;
  /** The mix of all tools that it is one of: when its call fails, the others are called without it. */
  readonly mix: EveryTool | undefined;
}

/** What became of the `tools: auto` of a profile. */
export interface EveryTool {
  readonly profile: string;
  /** Filled by the trial calls. */
  readonly called: string[];
  readonly leftOut: { readonly tool: string; readonly why: string }[];
  /** Tools that do not say whether they are destructive. */
  readonly unsaid: readonly string[];
}

interface Settlement {
  readonly calls: readonly SettledCall[];
  /** Every operation that cannot be called, each with its reason. */
  readonly problems: readonly string[];
  readonly everyTool: readonly EveryTool[];
}

/** Finds out what each operation of the mix sends, from what the server lists. Subscriptions are not among them. */
export function settleOperations(profiles: readonly ProfilePlan[], catalogue: ServerCatalogue): Settlement {
  const calls: SettledCall[] = [];
  const problems: string[] = [];
  const everyTool: EveryTool[] = [];
  for (const profile of profiles) {
    for (const operation of profile.operations) {
      if (operation.method === 'resources/subscribe') continue;
      if (operation.everyTool === true) {
        const { mix, found } = settleEveryTool(profile, operation, catalogue);
        everyTool.push(mix);
        calls.push(...found);
        if (found.length === 0) problems.push(noTool(mix));
      } else {
        const settled = settle({ profile, operation }, catalogue);
        if (settled.ok) calls.push(settled.call);
        else problems.push(`profile ${profile.name}, operation ${operation.name}: ${settled.why}`);
      }
    }
  }
  return { calls, problems, everyTool };
}

/** Why `tools: auto` has nothing to call. */
export function noTool({ profile, leftOut }: EveryTool): string {
  if (leftOut.length === 0) return `profile ${profile}: \`tools: auto\` calls every tool, and the server lists none`;
  const reasons = leftOut.map(({ tool, why }) => `\n  ${tool}: ${why}`).join('');
  return `profile ${profile}: \`tools: auto\` can call none of the server's ${leftOut.length} tools:${reasons}`;
}

/** Which tools are called, which are not, and why. */
export function textOf({ called, leftOut, unsaid }: EveryTool): string {
  const unsaidCalled = called.filter((tool) => unsaid.includes(tool));
  return [
    `calls ${called.join(', ')}`,
    ...leftOut.map(({ tool, why }) => `leaves out ${tool}: ${why}`),
    ...(unsaidCalled.length === 0 ? [] : [`do not say whether they are destructive: ${unsaidCalled.join(', ')}`]),
  ].join('; ');
}

function settleEveryTool(
  profile: ProfilePlan,
  operation: OperationPlan,
  catalogue: ServerCatalogue,
): { readonly mix: EveryTool; readonly found: readonly SettledCall[] } {
  const tools = catalogue.names('tools/list');
  const unsaid = tools.filter((tool) => destructiveness(catalogue.toolEntry(tool)) === 'unsaid');
  const mix: EveryTool = { profile: profile.name, called: [], leftOut: [], unsaid };
  const found = tools.flatMap((tool) => {
    const settled = settle(
      { profile, operation: toolCall(tool, operation), inPlaceOf: operation.name, mix },
      catalogue,
    );
    if (settled.ok) return settled.call;
    mix.leftOut.push({ tool, why: settled.why });
    return [];
  });
  return { mix, found };
}

interface Asked {
  readonly profile: ProfilePlan;
  readonly operation: OperationPlan;
  /** The operation that stands for every tool, when this is one of them. */
  readonly inPlaceOf?: string;
  readonly mix?: EveryTool;
}

type Settled = { readonly ok: true; readonly call: SettledCall } | { readonly ok: false; readonly why: string };

function settle({ profile, operation, inPlaceOf, mix }: Asked, catalogue: ServerCatalogue): Settled {
  const missing = catalogue.missing(operation);
  if (missing !== undefined) return { ok: false, why: missing };
  const isAuto = operation.autoArguments === true;
  if (isAuto && operation.method === 'tools/call') {
    const tool = catalogue.toolEntry(operation.target ?? '');
    if (destructiveness(tool) === 'destructive') return { ok: false, why: DESTRUCTIVE };
  }
  const generated = isAuto ? catalogue.argumentsOf(operation) : undefined;
  if (generated?.ok === false)
    return { ok: false, why: `cannot generate arguments: ${generated.problem}. Write them in place of \`auto\`.` };
  const paramHeaders = catalogue.headersOf(operation);
  const called = generated === undefined ? operation : withArguments(operation, generated.template);
  const schema = catalogue.outputSchemaOf(operation);
  if (!schema.ok) return { ok: false, why: schema.problem };
  const outputSchema = schema.json === undefined ? {} : { outputSchema: schema.json };
  const whole = { ...called, paramHeaders, ...outputSchema };
  const settled: SettledOperation = {
    profile: profile.name,
    operation: operation.name,
    // The arguments were made up, so the load must be given them.
    ...(generated === undefined ? {} : { params: whole.params }),
    ...(paramHeaders.length === 0
      ? {}
      : { paramHeaders: paramHeaders.map((header) => ({ ...header, path: [...header.path] })) }),
    ...outputSchema,
    ...(inPlaceOf === undefined ? {} : { inPlaceOf }),
  };
  const isTold = generated !== undefined || paramHeaders.length > 0 || schema.json !== undefined;
  return { ok: true, call: { profile, operation: whole, settled: isTold ? settled : undefined, mix } };
}

export const DESTRUCTIVE =
  'it calls itself destructive (annotations.destructiveHint), so no arguments are made up for it. ' +
  'Write them if it may be called.';
