import { parseJsonPath } from '../grammar/json-path.js';
import { constant, type Placeholder, parseTemplate, type Template } from '../grammar/template.js';
import type { ExpectationSource, OperationSource } from '../keys/profile-schema.js';
import type { Era, ExpectPlan, OperationPlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';
import { SUBSCRIBE } from './stream.js';

const kinds = ['tool', 'resource', 'prompt', 'ping', 'list', 'subscribe'] as const;

/** The mix of a profile. @param profile the profile's part, for problems under its `operations` */
export function resolveOperations(
  operations: readonly OperationSource[],
  profile: SourcePart,
  era: Era,
): readonly OperationPlan[] {
  const resolved = operations.flatMap((operation, index) => resolveOperation(operation, index, profile, era) ?? []);
  const seen = new Set<string>();
  for (const { plan, index } of resolved) {
    if (seen.has(plan.name)) {
      profile.reportAtValue(
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

function resolveOperation(source: OperationSource, index: number, profile: SourcePart, era: Era): Resolved | undefined {
  const given = kinds.filter((kind) => source[kind] !== undefined);
  if (given.length !== 1) {
    const message =
      given.length === 0
        ? 'the operation says nothing to call'
        : `the operation has ${given.join(' and ')}: it can be only one`;
    profile.reportAtValue(
      ['operations', index],
      given.length === 0 ? 'MISSING_KEY' : 'CONFLICT',
      message,
      'one of: tool, resource, prompt, ping, list, subscribe',
    );
    return undefined;
  }
  if (source.arguments !== undefined && source.tool === undefined && source.prompt === undefined) {
    profile.reportAtKey(['operations', index, 'arguments'], 'CONFLICT', 'only a tool or a prompt takes arguments');
  }
  if (source.ping === true && era === 'modern') {
    profile.reportAtKey(
      ['operations', index, 'ping'],
      'CONFLICT',
      '`ping` does not exist in the stateless era (2026-07-28)',
      'take it out, or set target.era: legacy',
    );
  }
  if (source.progress === true && source.tool === undefined) {
    profile.reportAtKey(['operations', index, 'progress'], 'CONFLICT', 'only a tool is asked for its progress');
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

function build(source: OperationSource, index: number, profile: SourcePart, era: Era): Built | undefined {
  const { tool, resource, prompt, list, subscribe } = source;
  const template = (value: unknown, path: string, numbers: boolean) =>
    parseTemplate(value, numbers, (inner, problem) => {
      profile.reportInText(['operations', index, path, ...inner], problem.offset, problem.message, problem.hint);
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
      profile.reportAtValue(
        ['operations', index, 'resource'],
        'CONFLICT',
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

function subscription(written: string, uri: Template, index: number, profile: SourcePart): Built {
  const drawn = placeholdersOf(uri).find(({ name }) => name !== 'client');
  if (drawn !== undefined) {
    profile.reportAtValue(
      ['operations', index, 'subscribe'],
      'CONFLICT',
      `a subscription is made anew in each session, so its uri cannot hold \`{{ ${drawn.name} }}\``,
      'use {{ client }} or {{ client 10 }}',
    );
  }
  if (profile.has(['operations', index, 'expect'])) {
    profile.reportAtKey(
      ['operations', index, 'expect'],
      'CONFLICT',
      'the answer to a subscription holds nothing',
      'take it out',
    );
  }
  if (profile.has(['operations', index, 'weight'])) {
    profile.reportAtKey(
      ['operations', index, 'weight'],
      'CONFLICT',
      'a subscription is made once for each session, beside the mix: it has no weight',
      'take it out',
    );
  }
  return { name: written, method: SUBSCRIBE, params: object({ uri }) };
}

/** MCP: arguments of a prompt are text, all of them. */
function checkPromptArguments(source: OperationSource, index: number, profile: SourcePart): void {
  if (source.arguments === undefined || source.arguments === 'auto') return;
  for (const [name, value] of Object.entries(source.arguments)) {
    if (typeof value === 'string') continue;
    profile.reportAtValue(
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

/** `{{ stamp }}`: what makes an operation a publication. */

function placeholdersOf(template: Template): readonly Placeholder[] {
  switch (template.kind) {
    case 'constant':
      return [];
    case 'number':
      return [template.draw];
    case 'string':
      return template.parts.filter((part) => typeof part !== 'string');
    case 'array':
      return template.items.flatMap(placeholdersOf);
    case 'object':
      return template.entries.flatMap(([, value]) => placeholdersOf(value));
  }
}

function isStamped(params: Template): boolean {
  return placeholdersOf(params).some(({ name }) => name === 'stamp');
}

/**
 * Subscribers count by a publisher's numbers, so a publisher must keep to one topic: one such operation a profile, and
 * nothing in it that chooses (`pick`, `int`), for a topic chosen anew each time would leave gaps in every one.
 */
function checkStamps(operations: readonly OperationPlan[], profile: SourcePart): void {
  const stamped = operations.flatMap((operation, index) => (operation.stamped === true ? [{ operation, index }] : []));
  for (const { operation, index } of stamped) {
    const choosing = placeholdersOf(operation.params).find(({ name }) => name === 'pick' || name === 'int');
    if (choosing !== undefined) {
      profile.reportAtValue(
        ['operations', index],
        'CONFLICT',
        `\`{{ ${choosing.name} }}\` beside \`{{ stamp }}\`: subscribers count by a publisher's numbers, so it must keep to one topic`,
        'use {{ client 10 }} to spread publishers over 10 topics',
      );
    }
  }
  const second = stamped[1];
  if (second !== undefined) {
    profile.reportAtValue(
      ['operations', second.index],
      'CONFLICT',
      'a second operation with `{{ stamp }}`: a publisher counts one kind of publication',
      'put it into a profile of its own',
    );
  }
}

/** @param profile the profile's part, for problems under `operations.INDEX.expect` */
function resolveExpectation(source: ExpectationSource, index: number, profile: SourcePart): ExpectPlan {
  const here = ['operations', index, 'expect'] as const;
  const { contains = [], equals = {}, size = {} } = source;
  if (Object.keys(source).length === 0)
    profile.reportAtValue(here, 'MISSING_KEY', 'nothing is expected', 'one of: contains, equals, size');
  if (size.min !== undefined && size.max !== undefined && size.min > size.max) {
    profile.reportAtValue([...here, 'size'], 'CONFLICT', '`min` is more than `max`, so no answer could be right');
  }
  const values = Object.entries(equals).flatMap(([text, value]) => {
    const parsed = parseJsonPath(text);
    if (parsed.ok) return [{ text, path: parsed.path, json: JSON.stringify(value) }];
    profile.reportAtKey(
      [...here, 'equals', text],
      'INVALID_VALUE',
      parsed.problem,
      'a path that names one place, such as $.content[0].text',
    );
    return [];
  });
  return {
    contains: typeof contains === 'string' ? [contains] : contains,
    equals: values,
    ...(size.min === undefined ? {} : { minBytes: size.min }),
    ...(size.max === undefined ? {} : { maxBytes: size.max }),
  };
}
