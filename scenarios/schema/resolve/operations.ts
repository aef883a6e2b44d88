/** The operations of a profile: requests with their templates, weights and expectations. */
import { child, type SourceNode } from '../../yaml/node.js';
import { parseJsonPath } from '../grammar/json-path.js';
import { constant, type Placeholder, parseTemplate, type Template } from '../grammar/template.js';
import type { ExpectationSource, OperationSource, OperationsSource } from '../keys/profile-schema.js';
import type { Era, ExpectPlan, OperationPlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';
import { SUBSCRIBE } from './stream.js';

const kinds = ['tool', 'resource', 'prompt', 'ping', 'list', 'subscribe'] as const;

export function resolveOperations(
  operations: OperationsSource,
  profilePart: SourcePart,
  era: Era,
): readonly OperationPlan[] {
  if (!Array.isArray(operations)) return [everyTool];
  const resolved = operations.flatMap((operation, index) => resolveOperation(operation, index, profilePart, era) ?? []);
  const seen = new Set<string>();
  for (const { plan, index } of resolved) {
    if (seen.has(plan.name)) {
      profilePart.reportAtValue(
        ['operations', index],
        'CONFLICT',
        `two operations are named \`${plan.name}\``,
        'give this one a `name` of its own',
      );
    }
    seen.add(plan.name);
  }
  const plans = resolved.map(({ plan }) => plan);
  checkStamps(plans, profilePart);
  return plans;
}

/** The preflight puts the tools of the server in its place. */
const everyTool: OperationPlan = {
  name: 'tools: auto',
  method: 'tools/call',
  params: constant({}),
  weight: 1,
  everyTool: true,
};

/** Whether the names of all operations are known before the run. */
export function namesEveryOperation(profiles: readonly SourceNode[]): boolean {
  return profiles.every((profile) => child(child(profile, 'operations'), 'tools') === undefined);
}

/** Names of all operations as written, so that thresholds can be checked even when other keys are wrong. */
export function operationNames(profiles: readonly SourceNode[]): readonly string[] {
  const operations = profiles.flatMap((profile) => {
    const list = child(profile, 'operations');
    return list?.kind === 'list' ? list.items : [];
  });
  return [...new Set(operations.flatMap((operation) => operationName(operation) ?? []))];
}

function operationName(operation: SourceNode): string | undefined {
  for (const key of ['name', 'tool', 'prompt', 'resource', 'subscribe']) {
    const found = child(operation, key);
    if (found?.kind === 'scalar' && typeof found.value === 'string') return found.value;
  }
  const list = child(operation, 'list');
  if (list?.kind === 'scalar') return `${String(list.value)}/list`;
  return child(operation, 'ping') === undefined ? undefined : 'ping';
}

interface Resolved {
  readonly plan: OperationPlan;
  readonly index: number;
}

function resolveOperation(
  source: OperationSource,
  index: number,
  profilePart: SourcePart,
  era: Era,
): Resolved | undefined {
  const given = kinds.filter((kind) => source[kind] !== undefined);
  if (given.length !== 1) {
    const [code, message] =
      given.length === 0
        ? (['MISSING_KEY', 'the operation does not say what to call'] as const)
        : (['CONFLICT', `the operation has ${given.join(' and ')}, and it can have only one of them`] as const);
    profilePart.reportAtValue(['operations', index], code, message, `one of: ${kinds.join(', ')}`);
    return undefined;
  }
  if (source.arguments !== undefined && source.tool === undefined && source.prompt === undefined) {
    profilePart.reportAtKey(['operations', index, 'arguments'], 'CONFLICT', 'only a tool or a prompt takes arguments');
  }
  if (source.ping === true && era === 'modern') {
    profilePart.reportAtKey(
      ['operations', index, 'ping'],
      'CONFLICT',
      '`ping` does not exist in the stateless era (2026-07-28)',
      'remove it, or set target.era: legacy',
    );
  }
  if (source.progress === true && source.tool === undefined) {
    profilePart.reportAtKey(['operations', index, 'progress'], 'CONFLICT', 'only a tool call has progress');
  }
  const plan = build(source, index, profilePart, era);
  if (plan === undefined) return undefined;
  const weight = plan.method === SUBSCRIBE ? 0 : source.weight;
  const expected =
    source.expect === undefined ? {} : { expect: resolveExpectation(source.expect, index, profilePart, plan.params) };
  return {
    plan: {
      ...plan,
      name: source.name ?? plan.name,
      weight,
      ...expected,
      ...(source.validate === 'sample' ? {} : { validate: source.validate }),
      ...(isStamped(plan.params) ? { stamped: true } : {}),
    },
    index,
  };
}

type Built = Omit<OperationPlan, 'weight'>;

function build(source: OperationSource, index: number, profilePart: SourcePart, era: Era): Built | undefined {
  const { tool, resource, prompt, list, subscribe } = source;
  const template = (value: unknown, path: string, numbers: boolean) =>
    parseTemplate(value, numbers, (inner, problem) => {
      profilePart.reportInText(['operations', index, path, ...inner], problem.offset, problem.message, problem.hint);
    });
  if (tool !== undefined) {
    // A server that validates arguments refuses a call that has none, so a tool always gets a map.
    const written = source.arguments === 'auto' ? {} : (source.arguments ?? {});
    const params = object({
      name: constant(tool),
      arguments: template(written, 'arguments', true),
      ...(source.progress === true ? { _meta: progressToken } : {}),
    });
    return { name: tool, method: 'tools/call', params, target: tool, ...autoOf(source) };
  }
  if (prompt !== undefined) {
    checkPromptArguments(source, index, profilePart);
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
      profilePart.reportAtValue(
        ['operations', index, 'resource'],
        'CONFLICT',
        message,
        'the stateless era repeats the uri in a header, which cannot vary; use a fixed uri',
      );
    }
    return { name: resource, method: 'resources/read', params };
  }
  if (subscribe !== undefined)
    return subscription(subscribe, template(subscribe, 'subscribe', false), index, profilePart);
  if (source.ping === true) return { name: 'ping', method: 'ping', params: constant({}) };
  if (list !== undefined) return { name: `${list}/list`, method: `${list}/list`, params: constant({}) };
  return undefined;
}

function autoOf(source: OperationSource): Pick<OperationPlan, 'autoArguments'> {
  return source.arguments === 'auto' ? { autoArguments: true } : {};
}

/** Unique within the session, as MCP requires: number of the client and number of the operation. */
const progressToken: Template = {
  kind: 'object',
  entries: [['progressToken', { kind: 'string', parts: [{ name: 'client' }, '-', { name: 'seq' }] }]],
};

function subscription(written: string, uri: Template, index: number, profilePart: SourcePart): Built {
  const drawn = placeholdersOf(uri).find(({ name }) => name !== 'client');
  if (drawn !== undefined) {
    profilePart.reportAtValue(
      ['operations', index, 'subscribe'],
      'CONFLICT',
      `each session makes its subscriptions again, so the uri cannot hold \`{{ ${drawn.name} }}\``,
      'use {{ client }} or {{ client 10 }}',
    );
  }
  if (profilePart.has(['operations', index, 'expect'])) {
    profilePart.reportAtKey(
      ['operations', index, 'expect'],
      'CONFLICT',
      'the answer to a subscription is empty, so nothing can be expected of it',
      'remove it',
    );
  }
  if (profilePart.has(['operations', index, 'weight'])) {
    profilePart.reportAtKey(
      ['operations', index, 'weight'],
      'CONFLICT',
      'a subscription is made once for each session, so it has no weight',
      'remove it',
    );
  }
  return { name: written, method: SUBSCRIBE, params: object({ uri }) };
}

/** MCP allows only text as arguments of a prompt. */
function checkPromptArguments(source: OperationSource, index: number, profilePart: SourcePart): void {
  if (source.arguments === undefined || source.arguments === 'auto') return;
  for (const [name, value] of Object.entries(source.arguments)) {
    if (typeof value === 'string') continue;
    profilePart.reportAtValue(
      ['operations', index, 'arguments', name],
      'INVALID_VALUE',
      'the arguments of a prompt must be text',
      'put the value in quotes',
    );
  }
}

/** A map of constants is one constant, which need not be built for each request. */
function object(entries: Readonly<Record<string, Template>>): Template {
  const list = Object.entries(entries);
  const parts = list.map(([key, value]) =>
    value.kind === 'constant' ? `${JSON.stringify(key)}:${value.json}` : undefined,
  );
  if (parts.every((part) => part !== undefined)) return { kind: 'constant', json: `{${parts.join(',')}}` };
  return { kind: 'object', entries: list };
}

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
 * A publication carries its number among those of its publisher, and subscribers find what was lost by the gaps. So a
 * publisher must keep to one topic: a profile has one such operation, without `pick` and `int`, because a topic drawn
 * for each publication would leave gaps in all of them.
 */
function checkStamps(operations: readonly OperationPlan[], profilePart: SourcePart): void {
  const stamped = operations.flatMap((operation, index) => (operation.stamped === true ? [{ operation, index }] : []));
  for (const { operation, index } of stamped) {
    const drawing = placeholdersOf(operation.params).find(({ name }) => name === 'pick' || name === 'int');
    if (drawing !== undefined) {
      profilePart.reportAtValue(
        ['operations', index],
        'CONFLICT',
        `\`{{ ${drawing.name} }}\` beside \`{{ stamp }}\`: a publisher must keep to one topic, ` +
          'because subscribers count by its numbers',
        'use {{ client 10 }} to spread publishers over 10 topics',
      );
    }
  }
  const second = stamped[1];
  if (second !== undefined) {
    profilePart.reportAtValue(
      ['operations', second.index],
      'CONFLICT',
      'a second operation with `{{ stamp }}`: a publisher numbers one kind of publication',
      'put it into a profile of its own',
    );
  }
}

/** @param params of the request, whose placeholders the expectation may repeat */
function resolveExpectation(
  source: ExpectationSource,
  index: number,
  profilePart: SourcePart,
  params: Template,
): ExpectPlan {
  const drawn = new Set(placeholdersOf(params).map((placeholder) => JSON.stringify(placeholder)));
  /** @returns undefined without placeholders */
  const templateOf = (value: unknown, at: readonly (string | number)[]): Template | undefined => {
    const template = parseTemplate(value, true, (inner, problem) => {
      profilePart.reportInText([...at, ...inner], problem.offset, problem.message, problem.hint);
    });
    const unknown = placeholdersOf(template).find(
      (placeholder) =>
        !['client', 'seq'].includes(placeholder.name) &&
        (['now', 'stamp'].includes(placeholder.name) || !drawn.has(JSON.stringify(placeholder))),
    );
    if (unknown !== undefined)
      profilePart.reportAtValue(
        at,
        'CONFLICT',
        `\`{{ ${unknown.name} }}\` has no value here: no placeholder of the request is written like it`,
        'repeat a placeholder of the arguments exactly, or use {{ client }} or {{ seq }}',
      );
    return template.kind === 'constant' ? undefined : template;
  };
  const path = ['operations', index, 'expect'] as const;
  const { contains = [], equals = {}, size = {} } = source;
  if (Object.keys(source).length === 0)
    profilePart.reportAtValue(path, 'MISSING_KEY', 'nothing is expected', 'one of: contains, equals, size');
  if (size.min !== undefined && size.max !== undefined && size.min > size.max) {
    profilePart.reportAtValue([...path, 'size'], 'CONFLICT', '`min` is more than `max`, so no answer could be right');
  }
  const values = Object.entries(equals).flatMap(([text, value]) => {
    const parsed = parseJsonPath(text);
    if (parsed.ok) {
      const template = templateOf(value, [...path, 'equals', text]);
      const json = JSON.stringify(value);
      return [{ text, path: parsed.path, json, ...(template === undefined ? {} : { template }) }];
    }
    profilePart.reportAtKey(
      [...path, 'equals', text],
      'INVALID_VALUE',
      parsed.problem,
      'a path that names one place, such as $.content[0].text',
    );
    return [];
  });
  return {
    contains:
      typeof contains === 'string'
        ? [templateOf(contains, [...path, 'contains']) ?? contains]
        : contains.map((text, item) => templateOf(text, [...path, 'contains', item]) ?? text),
    equals: values,
    ...(size.min === undefined ? {} : { minBytes: size.min }),
    ...(size.max === undefined ? {} : { maxBytes: size.max }),
  };
}
