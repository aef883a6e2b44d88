import { z } from 'zod';
import { distributions, type Metric, scalars, statistics } from '../grammar/metrics.js';
import { describeKeys, type KeyDescription, scenarioKeys } from '../keys/describe-keys.js';
import { profileSchema } from '../keys/profile-schema.js';

/** The README's tables of keys: one row a key, from the schema itself. */
export function scenarioKeyTable(): string {
  return table(scenarioKeys());
}

export function profileKeyTable(): string {
  return table(describeKeys(profileSchema));
}

/** The README's table of what thresholds can ask about. */
export function metricTable(): string {
  const values = `{${statistics.join(',')}}`;
  const rows = [
    ...Object.entries(distributions).map(([name, metric]) => metricRow(`${name}.${values}`, metric)),
    ...Object.entries(scalars).map(([name, metric]) => metricRow(name, metric)),
  ];
  return ['| metric | unit | labels | |', '|---|---|---|---|', ...rows].join('\n');
}

const units = {
  time: '`ms`, `s`, ...',
  perSecond: '`/s`, `/min`, `/h`',
  ratio: '`%`, or none: 0 to 1',
  cores: '`%` of one core',
  count: 'none',
  bytes: '`KiB`, `MB`, ...',
} as const;

function metricRow(name: string, metric: Metric): string {
  return `| \`${name}\` | ${units[metric.unit]} | ${metric.labels.join(', ')} | ${metric.help} |`;
}

function table(keys: readonly KeyDescription[]): string {
  const rows = keys.map(
    (key) =>
      `| \`${key.path.replaceAll('.*', '[]').replaceAll('workload[]', 'workload.NAME')}\` | ${standing(key)} | ${key.description.replaceAll('|', '\\|')} |`,
  );
  return ['| key | default | |', '|---|---|---|', ...rows].join('\n');
}

function standing(key: KeyDescription): string {
  if (!key.optional) return 'required';
  const json = z.toJSONSchema(z.strictObject({ key: key.schema as z.ZodType }), { io: 'input' });
  const property = json.properties?.key;
  const value = typeof property === 'object' ? property.default : undefined;
  return value === undefined || typeof value === 'object' ? '' : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
}
