/** The keys of a zod schema: those at one path, and all of them with their descriptions. */
import { type core, z } from 'zod';
import { profileSchema } from './profile-schema.js';
import { scenarioSchema } from './scenario-schema.js';

type Schema = core.$ZodType;

/** The keys of a map at `path`; undefined where any key is allowed, or where no map can be. */
export function knownKeys(schema: Schema, path: readonly PropertyKey[]): readonly string[] | undefined {
  let options: readonly Schema[] = [schema];
  for (const key of path) options = options.flatMap((option) => members(option, key));
  const shapes = options.flatMap(alternatives).filter((option) => option instanceof z.ZodObject);
  return shapes.length === 0 ? undefined : shapes.flatMap((option) => Object.keys(option.shape));
}

export interface KeyDescription {
  /** `stages.*.load.from`; `*` stands for any item or name. */
  readonly path: string;
  readonly schema: Schema;
  readonly description: string;
  readonly optional: boolean;
}

/** Every key of every map in the schema, in the order of the schema. */
export function describeKeys(schema: Schema, prefix = ''): readonly KeyDescription[] {
  return alternatives(schema).flatMap((option) => {
    if (option instanceof z.ZodArray) return describeKeys(option.element, `${prefix}.*`);
    if (option instanceof z.ZodRecord) return describeKeys(option.valueType, `${prefix}.*`);
    if (!(option instanceof z.ZodObject)) return [];
    return Object.entries<Schema>(option.shape).flatMap(([key, value]) => {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      const optional = z.safeParse(z.strictObject({ key: value }), {}).success;
      return [{ path, schema: value, description: descriptionOf(value), optional }, ...describeKeys(value, path)];
    });
  });
}

/** What a value may be, without the wrappers for optional values and defaults. */
function alternatives(schema: Schema): readonly Schema[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(alternatives);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodPrefault) {
    return alternatives(schema.unwrap());
  }
  return [schema];
}

function members(schema: Schema, key: PropertyKey): readonly Schema[] {
  return alternatives(schema).flatMap((option): readonly Schema[] => {
    if (option instanceof z.ZodArray) return [option.element];
    if (option instanceof z.ZodRecord) return [option.valueType];
    const member: Schema | undefined = option instanceof z.ZodObject ? option.shape[String(key)] : undefined;
    return member === undefined ? [] : [member];
  });
}

function descriptionOf(schema: Schema): string {
  const own = z.globalRegistry.get(schema)?.description;
  if (own !== undefined) return own;
  return schema instanceof z.ZodOptional ? descriptionOf(schema.unwrap()) : '';
}

/**
 * Every key of scenario files. Of a workload only `profile`, because all its other keys are those of profiles; of an
 * arm only `transport`, because all its other keys are those of `target`.
 */
export function scenarioKeys(): readonly KeyDescription[] {
  const own = ['workload.*.profile', 'arms.*.transport'];
  return describeKeys(scenarioSchema).filter(
    ({ path }) => !/^(?:workload|arms)\.\*\./.test(path) || own.includes(path),
  );
}

/** Paths of all keys of scenario files, then of profile files as `profile.KEY`. `*` stands for any item or name. */
export function allKeyPaths(): readonly string[] {
  return [...scenarioKeys(), ...describeKeys(profileSchema, 'profile')].map(({ path }) => path);
}

/** JSON Schema (2020-12) of a scenario file, for editors. */
export function scenarioJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(scenarioSchema, { io: 'input' }), title: 'swarmbench scenario' };
}

/** JSON Schema (2020-12) of a profile file, for editors. */
export function profileJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(profileSchema, { io: 'input' }), title: 'swarmbench profile' };
}
