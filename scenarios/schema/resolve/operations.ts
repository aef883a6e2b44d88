import { constant, parseTemplate } from '../grammar/template-parser.js';
import type { OperationSource } from '../keys/profile-schema.js';
import type { Era, OperationPlan } from '../plan.js';
import type { Template } from '../template.js';
import type { Part } from './context.js';
import { resolveExpectation } from './expectation.js';
import { checkStamps, isStamped, placeholdersOf } from './stamp.js';
import { SUBSCRIBE } from './stream.js';

const kinds = ['tool', 'resource', 'prompt', 'ping', 'list', 'subscribe'] as const;

/** The mix of a profile. @param profile the profile's part, for problems under its `operations` */
export function resolveOperations(
  operations: readonly OperationSource[],
  profile: Part,
  era: Era,
): readonly OperationPlan[] {
  const resolved = operations.flatMap((operation, index) => resolveOperation(operation, index, profile, era) ?? []);
  const seen = new Set<string>();
  for (const { plan, index } of resolved) {
    if (seen.has(plan.name)) {
      profile.wrongValue(
        ['operations', index],
        'CONFLICT',
        `two operations are called \`${plan.name}\``,
        'give this one a `name` of its own',
      );
    }
    seen.add(plan.name);
  }
  const plans = resolved.map(({ plan }) => plan);
  checkStamps(plans, profile);
  return plans;
}

interface Resolved {
  readonly plan: OperationPlan;
  readonly index: number;
}

function resolveOperation(source: OperationSource, index: number, profile: Part, era: Era): Resolved | undefined {
  const given = kinds.filter((kind) => source[kind] !== undefined);
  if (given.length !== 1) {
    const message =
      given.length === 0
        ? 'the operation says nothing to call'
        : `the operation has ${given.join(' and ')}: it can be only one`;
    profile.wrongValue(
      ['operations', index],
      given.length === 0 ? 'MISSING_KEY' : 'CONFLICT',
      message,
      'one of: tool, resource, prompt, ping, list, subscribe',
    );
    return undefined;
  }
  if (source.arguments !== undefined && source.tool === undefined && source.prompt === undefined) {
    profile.wrongKey(['operations', index, 'arguments'], 'CONFLICT', 'only a tool or a prompt takes arguments');
  }
  if (source.ping === true && era === 'modern') {
    profile.wrongKey(
      ['operations', index, 'ping'],
      'CONFLICT',
      '`ping` does not exist in the stateless era (2026-07-28)',
      'take it out, or set target.era: legacy',
    );
  }
  if (source.progress === true && source.tool === undefined) {
    profile.wrongKey(['operations', index, 'progress'], 'CONFLICT', 'only a tool is asked for its progress');
  }
  const plan = build(source, index, profile, era);
  if (plan === undefined) return undefined;
  const weight = plan.method === SUBSCRIBE ? 0 : source.weight;
  const expected = source.expect === undefined ? {} : { expect: resolveExpectation(source.expect, index, profile) };
  return {
    plan: {
      ...plan,
      name: source.name ?? plan.name,
      weight,
      ...expected,
      ...(isStamped(plan.params) ? { stamped: true } : {}),
    },
    index,
  };
}

type Built = Omit<OperationPlan, 'weight'>;

function build(source: OperationSource, index: number, profile: Part, era: Era): Built | undefined {
  const { tool, resource, prompt, list, subscribe } = source;
  const template = (value: unknown, path: string, numbers: boolean) =>
    parseTemplate(value, numbers, (inner, problem) => {
      profile.wrongText(['operations', index, path, ...inner], problem.offset, problem.message, problem.hint);
    });
  if (tool !== undefined) {
    // Servers that validate arguments refuse a call without any, so a tool always gets a map.
    const written = source.arguments === 'auto' ? {} : (source.arguments ?? {});
    const params = object({
      name: constant(tool),
      arguments: template(written, 'arguments', true),
      ...(source.progress === true ? { _meta: progressToken } : {}),
    });
    return { name: tool, method: 'tools/call', params, target: tool, ...autoOf(source) };
  }
  if (prompt !== undefined) {
    checkPromptArguments(source, index, profile);
    const given =
      source.arguments === undefined || source.arguments === 'auto'
        ? {}
        : { arguments: template(source.arguments, 'arguments', false) };
    return {
      name: prompt,
      method: 'prompts/get',
      params: object({ name: constant(prompt), ...given }),
      target: prompt,
      ...autoOf(source),
    };
  }
  if (resource !== undefined) {
    const uri = template(resource, 'resource', false);
    const params = object({ uri });
    if (uri.kind === 'constant') return { name: resource, method: 'resources/read', params, target: resource };
    if (era !== 'legacy') {
      const message = 'a resource uri with templates needs target.era: legacy';
      profile.wrongValue(
        ['operations', index, 'resource'],
        'NOT_BUILT',
        message,
        'the stateless era repeats the uri in a header, and varying that header is not built yet; use a fixed uri',
      );
    }
    return { name: resource, method: 'resources/read', params };
  }
  if (subscribe !== undefined) return subscription(subscribe, template(subscribe, 'subscribe', false), index, profile);
  if (source.ping === true) return { name: 'ping', method: 'ping', params: constant({}) };
  if (list !== undefined) return { name: `${list}/list`, method: `${list}/list`, params: constant({}) };
  return undefined;
}

function autoOf(source: OperationSource): Pick<OperationPlan, 'autoArguments'> {
  return source.arguments === 'auto' ? { autoArguments: true } : {};
}

/** Unique among what one session has on the wire, as MCP wants it: client and number of the operation. */
const progressToken: Template = {
  kind: 'object',
  entries: [['progressToken', { kind: 'string', parts: [{ name: 'client' }, '-', { name: 'seq' }] }]],
};

function subscription(written: string, uri: Template, index: number, profile: Part): Built {
  const drawn = placeholdersOf(uri).find(({ name }) => name !== 'client');
  if (drawn !== undefined) {
    profile.wrongValue(
      ['operations', index, 'subscribe'],
      'CONFLICT',
      `a subscription is made anew in each session, so its uri cannot hold \`{{ ${drawn.name} }}\``,
      'use {{ client }} or {{ client 10 }}',
    );
  }
  if (profile.has(['operations', index, 'expect'])) {
    profile.wrongKey(
      ['operations', index, 'expect'],
      'CONFLICT',
      'the answer to a subscription holds nothing',
      'take it out',
    );
  }
  if (profile.has(['operations', index, 'weight'])) {
    profile.wrongKey(
      ['operations', index, 'weight'],
      'CONFLICT',
      'a subscription is made once for each session, beside the mix: it has no weight',
      'take it out',
    );
  }
  return { name: written, method: SUBSCRIBE, params: object({ uri }) };
}

/** MCP: arguments of a prompt are text, all of them. */
function checkPromptArguments(source: OperationSource, index: number, profile: Part): void {
  if (source.arguments === undefined || source.arguments === 'auto') return;
  for (const [name, value] of Object.entries(source.arguments)) {
    if (typeof value === 'string') continue;
    profile.wrongValue(
      ['operations', index, 'arguments', name],
      'INVALID_VALUE',
      'arguments of a prompt are text',
      'put the value in quotes',
    );
  }
}

/** A subtree of constants is one constant: bytes that need not be built per request. */
function object(entries: Readonly<Record<string, Template>>): Template {
  const list = Object.entries(entries);
  const parts = list.map(([key, value]) =>
    value.kind === 'constant' ? `${JSON.stringify(key)}:${value.json}` : undefined,
  );
  if (parts.every((part) => part !== undefined)) return { kind: 'constant', json: `{${parts.join(',')}}` };
  return { kind: 'object', entries: list };
}
