/** Checks a file against Docker's schema. Each problem has its place and says what would be right. */
import { Ajv, type ErrorObject, type FuncKeywordDefinition, type ValidateFunction } from 'ajv';
import type { Position } from '../../../../../scenarios/yaml/problem.js';
import type { Findings } from '../findings.js';
import { describeValue, type MapValue, type SourceValue } from '../source/value.js';
import { type JsonSchema, NEWEST_FORMAT, schemaOf } from './docker-schema.js';
import { hintForKey } from './known-keys.js';

/** The N of the file's format 3.N; undefined when the file has another one, which the CLI refuses before all else. */
export function formatOf(file: MapValue, findings: Findings): number | undefined {
  const value = file.entries.get('version')?.value;
  if (value === undefined) return NEWEST_FORMAT;
  if (value.kind !== 'text') {
    const message = `must be text, not ${describeValue(value)}`;
    findings.refuse(value.at, 'VERSION', 'version', message, 'put it in quotes, or leave the line out');
    return undefined;
  }
  if (value.text === '' || value.text === '3') return NEWEST_FORMAT;
  const format = /^3\.(0|[1-9]\d?)$/.exec(value.text)?.[1];
  if (format !== undefined && Number(format) <= NEWEST_FORMAT) return Number(format);
  const message = `format ${value.text} cannot be deployed: 3.0 to 3.${NEWEST_FORMAT} can`;
  findings.refuse(value.at, 'VERSION', 'version', message, `leave the line out, which means 3.${NEWEST_FORMAT}`);
  return undefined;
}

/** @param format N of the file's format 3.N: newer keys are refused */
export function checkSchema(file: MapValue, format: number, findings: Findings): void {
  const validate = validatorOf(format);
  if (validate(toJson(file))) return;
  const errors = validate.errors ?? [];
  const choices = new Set(errors.filter(({ keyword }) => keyword === 'oneOf').map((error) => error.instancePath));
  for (const error of errors) {
    const found = locate(file, error.instancePath);
    // It is already refused.
    if (found.value.kind === 'unknown') continue;
    // Each alternative of a choice reports a wrong type. The error of the `oneOf` around them reports it once.
    if (error.keyword === 'type' && choices.has(error.instancePath)) continue;
    report(error, found, format, findings);
  }
}

const validators = new Map<number, ValidateFunction>();

function validatorOf(format: number): ValidateFunction {
  const known = validators.get(format);
  if (known !== undefined) return known;
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: false,
    // Ports and durations are read by the loader, which can say what is wrong with them.
    validateFormats: false,
    // Docker's schema needs no check of its own, which would take as long as compiling it.
    validateSchema: false,
    meta: false,
  });
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword(uniqueItems);
  const validate = ajv.compile(schemaOf(format));
  validators.set(format, validate);
  return validate;
}

/** In place of ajv's own `uniqueItems`, which compares each item with each and stops at the first that is repeated. */
const uniqueItems: FuncKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schema: false,
  errors: true,
  validate: findRepeated,
};

function findRepeated(items: readonly unknown[]): boolean {
  const firsts = new Map<string, number>();
  const repeated: Partial<ErrorObject>[] = [];
  items.forEach((item, index) => {
    const identity = JSON.stringify(item, sortKeys);
    const first = firsts.get(identity);
    if (first === undefined) firsts.set(identity, index);
    else repeated.push({ keyword: 'uniqueItems', params: { index, first } });
  });
  findRepeated.errors = repeated;
  return repeated.length === 0;
}

/** Where ajv looks for them. */
findRepeated.errors = [] as Partial<ErrorObject>[];

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value === 'symbol') return value.description;
  return isMap(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Found {
  readonly value: SourceValue;
  readonly at: Position;
  readonly path: string;
}

function report(error: ErrorObject, found: Found, format: number, findings: Findings): void {
  const { value, at, path } = found;
  const schema = error.parentSchema as JsonSchema;
  switch (error.keyword) {
    case 'oneOf':
      // Each alternative has a type of its own, so the one of the value's type was meant, and has its own errors.
      if (!accepts(schema.oneOf ?? [], value)) reportType(found, schema.oneOf ?? [], findings);
      return;
    case 'type':
      // Dates are printed into labels, variables and options like numbers.
      if (value.kind === 'time' && isPrintable(schema)) {
        findings.warn(at, 'MISLEADING', path, `is read as a date and becomes "${value.text}"`, 'put it in quotes');
      } else reportType(found, [schema], findings);
      return;
    case 'additionalProperties':
      reportKey(String(error.params.additionalProperty), found, schema, format, findings);
      return;
    case 'required':
      findings.refuse(at, 'MISSING_KEY', path, `must have the key "${error.params.missingProperty}"`);
      return;
    case 'uniqueItems': {
      const { index, first } = error.params as { readonly index: number; readonly first: number };
      const itemAt = (value.kind === 'list' ? value.items[index]?.at : undefined) ?? at;
      const message = `is the same as item ${first}`;
      findings.refuse(itemAt, 'INVALID_VALUE', `${path}[${index}]`, message, 'leave one of them out');
      return;
    }
    case 'enum': {
      // A value of another type is reported as such.
      if (value.kind !== 'text') return;
      const choices = (error.schema as readonly string[]).join(' or ');
      findings.refuse(at, 'INVALID_VALUE', path, `must be ${choices}, not "${value.text}"`);
      return;
    }
    case 'minimum':
      findings.refuse(at, 'INVALID_VALUE', path, `must be ${error.params.limit} or more, not ${String(error.data)}`);
      return;
    default:
      findings.refuse(at, 'INVALID_VALUE', path, error.message ?? 'is wrong');
  }
}

function reportKey(
  name: string,
  { value, at, path }: Found,
  schema: JsonSchema,
  format: number,
  findings: Findings,
): void {
  const keyAt = (value.kind === 'map' ? value.entries.get(name)?.keyAt : undefined) ?? at;
  if (schema.properties === undefined) {
    const hint = 'use letters, digits, ".", "-" and "_"';
    findings.refuse(keyAt, 'UNKNOWN_KEY', path, `"${name}" cannot be a name`, hint);
    return;
  }
  const keyPath = path === '' ? name : `${path}.${name}`;
  const newer = new Map(Object.entries(schema.newer ?? {}));
  const since = newer.get(name) ?? (name.startsWith('x-') ? newer.get('x-') : undefined);
  if (since === undefined) {
    const hint = hintForKey(name, Object.keys(schema.properties));
    findings.refuse(keyAt, 'UNKNOWN_KEY', keyPath, 'unknown key', hint);
  } else {
    const message = `needs format 3.${since} or newer, and the file says 3.${format}`;
    findings.refuse(keyAt, 'UNKNOWN_KEY', keyPath, message, 'leave `version` out, which means the newest format');
  }
}

function reportType({ value, at, path }: Found, schemas: readonly JsonSchema[], findings: Findings): void {
  const names = [...new Set(schemas.flatMap((schema) => typesOf(schema).map((type) => nameOf(type, schema.format))))];
  const last = names.pop() ?? '';
  const wanted = names.length === 0 ? last : `${names.join(', ')} or ${last}`;
  const hint = path.endsWith('.depends_on')
    ? 'a Swarm takes a list of names here, and ignores it'
    : hintForType(value, schemas.flatMap(typesOf));
  findings.refuse(at, 'INVALID_VALUE', path, `must be ${wanted}, not ${describeValue(value)}`, hint);
}

function nameOf(type: string, format: string | undefined): string {
  if (format === 'ports' && type !== 'object') return 'a port';
  if (format === 'duration') return 'a duration';
  return TYPE_NAMES[type] ?? type;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'nothing',
  array: 'a list',
  object: 'a map',
};

function hintForType(value: SourceValue, types: readonly string[]): string | undefined {
  if (['integer', 'float', 'flag', 'time'].includes(value.kind))
    return types.includes('string') ? 'put it in quotes' : undefined;
  if (value.kind !== 'text') return undefined;
  const takesNumber = types.includes('integer') || types.includes('number');
  if (takesNumber && /^-?\d+(\.\d+)?$/.test(value.text)) return 'leave the quotes out';
  const isFlag = /^(true|false|yes|no|on|off|y|n)$/i.test(value.text);
  return types.includes('boolean') && isFlag ? 'write true or false, without quotes' : undefined;
}

function isPrintable(schema: JsonSchema): boolean {
  const types = typesOf(schema);
  return types.includes('string') && types.includes('number') && schema.format === undefined;
}

export function accepts(schemas: readonly JsonSchema[], value: SourceValue): boolean {
  const types = schemas.flatMap(typesOf);
  if (types.includes(TYPE_OF[value.kind])) return true;
  const isWhole = value.kind === 'integer' || (value.kind === 'float' && Number.isInteger(value.value));
  return isWhole && types.includes('integer');
}

const TYPE_OF: Readonly<Record<SourceValue['kind'], string>> = {
  text: 'string',
  integer: 'number',
  float: 'number',
  flag: 'boolean',
  null: 'null',
  list: 'array',
  map: 'object',
  time: 'date',
  unknown: 'unknown',
};

function typesOf({ type = [] }: JsonSchema): readonly string[] {
  return typeof type === 'string' ? [type] : type;
}

/** The value for ajv. A date, or a value that is already refused, becomes a symbol: it has none of JSON's types. */
function toJson(value: SourceValue): unknown {
  switch (value.kind) {
    case 'map':
      return Object.fromEntries([...value.entries].map(([key, entry]) => [key, toJson(entry.value)]));
    case 'list':
      return value.items.map(toJson);
    case 'text':
      return value.text;
    case 'integer':
    case 'float':
      return Number(value.value);
    case 'flag':
      return value.value;
    case 'null':
      return null;
    default:
      return Symbol(`${value.kind} at ${value.at.line}:${value.at.column}`);
  }
}

/** The value that a JSON pointer leads to. */
function locate(file: MapValue, pointer: string): Found {
  let value: SourceValue = file;
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    let next: SourceValue | undefined;
    if (value.kind === 'list') {
      next = value.items[Number(key)];
      path += `[${key}]`;
    } else if (value.kind === 'map') {
      next = value.entries.get(key)?.value;
      path += path === '' ? key : `.${key}`;
    }
    value = next ?? value;
  }
  return { value, at: value.at, path };
}
