import { parseJsonPath } from '../grammar/json-path.js';
import type { ExpectationSource } from '../keys/profile-schema.js';
import type { ExpectPlan } from '../plan.js';
import type { Part } from './context.js';

/** @param profile the profile's part, for problems under `operations.INDEX.expect` */
export function resolveExpectation(source: ExpectationSource, index: number, profile: Part): ExpectPlan {
  const here = ['operations', index, 'expect'] as const;
  const { contains = [], equals = {}, size = {} } = source;
  if (Object.keys(source).length === 0)
    profile.wrongValue(here, 'MISSING_KEY', 'nothing is expected', 'one of: contains, equals, size');
  if (size.min !== undefined && size.max !== undefined && size.min > size.max) {
    profile.wrongValue([...here, 'size'], 'CONFLICT', '`min` is more than `max`, so no answer could be right');
  }
  const values = Object.entries(equals).flatMap(([text, value]) => {
    const parsed = parseJsonPath(text);
    if (parsed.ok) return [{ text, path: parsed.path, json: JSON.stringify(value) }];
    profile.wrongKey(
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
