/**
 * Docker's JSON schema of each 3.x format, made of one: Docker's own 3.12, unchanged in the file beside this one, with
 * what 3.13 adds and without what is newer than the format that a file names. NOTICE says where that file is from.
 */
import docker from './config_schema_v3.12.json' with { type: 'json' };

/** As much of JSON schema as is left of Docker's schemas once references are replaced by what they stand for. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly properties?: Record<string, JsonSchema>;
  readonly patternProperties?: Record<string, JsonSchema>;
  readonly items?: JsonSchema;
  readonly oneOf?: JsonSchema[];
  /** Not JSON schema: keys missing here, with the N of the format 3.N that brings them; `x-` is any extension. */
  newer?: Record<string, number>;
}

/** The newest format that docker/cli 28 knows. */
export const NEWEST_FORMAT = 13;

/** Keys by place in Docker's schema, with the format that brought them. */
const SINCE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  '': { secrets: 1, configs: 3, 'x-': 4 },
  'definitions.service': {
    secrets: 1,
    configs: 3,
    credential_spec: 3,
    isolation: 5,
    init: 7,
    'x-': 7,
    cgroupns_mode: 9,
    oom_score_adj: 13,
  },
  'definitions.service.properties.credential_spec': { config: 8 },
  'definitions.service.properties.networks.oneOf.1.patternProperties.^[a-zA-Z0-9._-]+$.oneOf.0': { driver_opts: 13 },
  'definitions.service.properties.volumes.items.oneOf.1': { tmpfs: 6 },
  'definitions.healthcheck': { start_period: 4, start_interval: 12 },
  'definitions.deployment': { endpoint_mode: 2, rollback_config: 7 },
  'definitions.deployment.properties.update_config': { order: 4 },
  'definitions.deployment.properties.resources.properties.limits': { pids: 9 },
  'definitions.deployment.properties.resources.properties.reservations': { generic_resources: 5 },
  'definitions.deployment.properties.placement': { preferences: 3, max_replicas_per_node: 8 },
  'definitions.network': { attachable: 2, name: 5, 'x-': 7 },
  'definitions.volume': { name: 4, 'x-': 7, 'x-cluster-spec': 10 },
  'definitions.secret': { name: 5, 'x-': 7, driver: 8, driver_opts: 8, template_driver: 8 },
  'definitions.config': { name: 5, 'x-': 7, template_driver: 8 },
};

/** The long form of a port and of a mount, which came with 3.2. */
const LONG_FORMS = [
  ['definitions.service.properties.ports.items', 2],
  ['definitions.service.properties.volumes.items', 1],
] as const;
const LONG_FORMS_SINCE = 2;

/** @param format the 13 of 3.13 */
export function schemaOf(format: number): JsonSchema {
  const schema = newestSchema();
  for (const [place, keys] of Object.entries(SINCE)) {
    for (const [key, since] of Object.entries(keys)) if (since > format) takeOut(at(schema, place), key, since);
  }
  if (format < LONG_FORMS_SINCE) for (const [place, branch] of LONG_FORMS) at(schema, place).oneOf?.splice(branch, 1);
  const { definitions, ...whole } = schema;
  return expanded(whole, definitions) as JsonSchema;
}

function takeOut(schema: JsonSchema, key: string, since: number): void {
  if (key === 'x-') delete schema.patternProperties?.['^x-'];
  else delete schema.properties?.[key];
  schema.newer = { ...schema.newer, [key]: since };
}

interface SchemaFile extends JsonSchema {
  readonly definitions: Readonly<Record<string, unknown>>;
}

function newestSchema(): SchemaFile {
  // Draft 4 names a schema by `$schema` and `id`, which ajv does not know. A property may still be called `id`.
  const schema: SchemaFile = JSON.parse(JSON.stringify(docker), (key, value: unknown) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
  );
  const add = (place: string, properties: Record<string, JsonSchema>): void => {
    Object.assign(at(schema, `${place}.properties`), properties);
  };
  // New in 3.13.
  add('definitions.service', { oom_score_adj: { type: 'integer' } });
  add('definitions.service.properties.networks.oneOf.1.patternProperties.^[a-zA-Z0-9._-]+$.oneOf.0', {
    driver_opts: { type: 'object', patternProperties: { '^.+$': { type: ['string', 'number'] } } },
  });
  // The CLI refuses these although its schema accepts them: numbers in place of text, and wrong ulimits and networks
  // under names that the schema's patterns leave out.
  add('definitions.service', { shm_size: { type: 'string' } });
  add('definitions.service.properties.volumes.items.oneOf.1.properties.volume', { subpath: { type: 'string' } });
  for (const place of ['definitions.service.properties.ulimits', 'properties.networks']) {
    const table = at(schema, place);
    Object.assign(table, { patternProperties: { '^.*$': Object.values(table.patternProperties ?? {})[0] } });
  }
  return schema;
}

/** @param place keys from the top; a pattern is one key, in spite of its dots */
function at(schema: JsonSchema, place: string): JsonSchema {
  const keys = place.match(/\^[^$]*\$|[^.]+/g) ?? [];
  return keys.reduce<JsonSchema>((node, key) => (node as Readonly<Record<string, JsonSchema>>)[key] ?? {}, schema);
}

/**
 * Without references, since ajv copies all errors that it has so far after each of them: a file with 50,000 wrong
 * services took 9 s, and takes 0.1 s without.
 */
function expanded(schema: unknown, definitions: SchemaFile['definitions']): unknown {
  if (Array.isArray(schema)) return schema.map((each) => expanded(each, definitions));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref } = schema as { readonly $ref?: string };
  if ($ref !== undefined) return expanded(definitions[$ref.slice('#/definitions/'.length)], definitions);
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, expanded(value, definitions)]));
}
