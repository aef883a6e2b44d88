/**
 * `docs/scenario-reference.md`, made from the schemas and the maps that they are built on. `tools/generate.mjs` writes
 * it.
 */
import { z } from 'zod';
import { faultKinds } from './faults/fault-kinds.js';
import { categories } from './grammar/check.js';
import { distributions, type Metric, type MetricUnit, scalars, statistics } from './grammar/metrics.js';
import { placeholders } from './grammar/template.js';
import { quantities } from './grammar/units.js';
import { describeKeys, type KeyDescription, scenarioKeys } from './keys/describe-keys.js';
import { profileSchema } from './keys/profile-schema.js';
import { abortMeanings, malformedMeanings } from './misbehave.js';
import { factsOf, transportNames } from './transports.js';

/** Files of the folder `docs` by name. */
export function referenceFiles(): ReadonlyMap<string, string> {
  return new Map([['scenario-reference.md', scenarioReference()]]);
}

export function scenarioReference(): string {
  return `# Scenario reference

Every key, metric, unit and placeholder of scenarios and profiles. To learn how to write them, start with
[Writing scenarios](writing-scenarios.md). An unknown key and a wrong value are errors with file, line and column.

<!-- Made by tools/generate.mjs from scenarios/schema. Do not edit: change the descriptions there. -->

- [Keys of a scenario](#keys-of-a-scenario)
- [Kinds of faults](#kinds-of-faults)
- [Keys of a profile](#keys-of-a-profile)
- [Transports](#transports)
- [Kinds of misbehaviour](#kinds-of-misbehaviour)
- [Thresholds](#thresholds)
- [Units](#units)
- [Templates](#templates)

## Keys of a scenario

${keyTable(scenarioKeys())}

Each entry of \`workload\` also takes the keys of a profile, except \`name\`. It overrides \`arrivals\`, \`misbehave\`
and \`stream\` key by key, and all other keys as a whole.

## Kinds of faults

A fault has \`at\`, \`kind\`, perhaps \`for\`, \`name\`, \`stage\`, \`every\` and \`times\`, and the keys of its kind.
[Faults](faults.md) says where each can be done.

${faultTable()}

## Keys of a profile

${keyTable(describeKeys(profileSchema))}

An operation has exactly one of \`tool\`, \`resource\`, \`prompt\`, \`ping\`, \`list\` and \`subscribe\`.

## Transports

${transportTable()}

## Kinds of misbehaviour

\`misbehave.abort\` closes the connection of an operation:

${meaningTable('kind', 'when', abortMeanings)}

\`misbehave.malformed\` breaks a request:

${meaningTable('kind', 'how', malformedMeanings)}

Each transport has the kinds that its wire allows. A kind or a key that a transport does not have is refused.

${misbehaviourTable()}

Every transport has \`idle\`. [Streams and misbehaviour](streams-and-misbehaviour.md) explains what the report shows.

## Thresholds

\`\`\`
CHECK   = METRIC [ "{" LABEL "=" '"' VALUE '"' { "," ... } "}" ] OP NUMBER [ UNIT ]
OP      = "<" | "<=" | ">" | ">=" | "==" | "!="
LABEL   = "stage" | "profile" | "operation" | "arm" | "replica" | "category"
\`\`\`

A check without a \`stage\` label is judged over all measured stages, of all trials together. No data is never a pass.
A \`replica\` is named by its id in the report, such as \`reference-1\` or \`mcp-server.2\`, or as its answers name it:
in the header \`x-swarmbench-replica\`, or else in \`x-swarmbench-server\`, which the gateway of the stack adds. It does
not go together with \`operation\` or \`category\`. In YAML's flow style (\`{ check: ... }\`), a check with labels needs
quotes around it.

${metricTable()}

The categories of failed operations:

${meaningTable('category', 'meaning', categories)}

## Units

A duration, a rate, a size, a speed and a percentage always have a unit.

${unitTable()}

## Templates

Texts in \`arguments\` may hold placeholders, and so may a \`resource\` uri where \`target.era\` is \`legacy\`.
Everything is drawn from the seed, the number of the client and the number of the operation, so a run can be repeated
byte for byte; only \`now\` differs. A \`subscribe\` uri may hold \`{{ client }}\` only.

${placeholderTable()}

In the arguments of a tool, a text that is only one of \`int\`, \`client\`, \`seq\` or \`now\` becomes a JSON number.
The arguments of a prompt are always text.
`;
}

function keyTable(keys: readonly KeyDescription[]): string {
  return table(
    ['key', 'default', 'meaning'],
    keys.map((key) => [code(writtenPath(key.path)), defaultOf(key), key.description]),
  );
}

function writtenPath(path: string): string {
  return path.replaceAll('.*', '[]').replaceAll('workload[]', 'workload.NAME');
}

/** A default that the schema has; those that depend on other keys stand in the description. */
function defaultOf(key: KeyDescription): string {
  if (!key.optional) return 'required';
  const json = z.toJSONSchema(z.strictObject({ key: key.schema as z.ZodType }), { io: 'input' });
  const property = json.properties?.key;
  const value = typeof property === 'object' ? property.default : undefined;
  return value === undefined || typeof value === 'object' ? '' : code(String(value));
}

function faultTable(): string {
  return table(
    ['kind', 'what it does', 'open connections', 'new connections', 'its keys'],
    Object.entries(faultKinds).map(([name, { description, connections, keys }]) => [
      code(name),
      description,
      connections.open,
      connections.new,
      Object.keys(keys).map(code).join(', '),
    ]),
  );
}

const serverMessages = {
  streams: 'streams of their own, which can be resumed',
  connection: 'the connection of the session',
  none: 'nothing',
} as const;

function transportTable(): string {
  return table(
    ['transport', 'meaning', 'schemes of urls', 'eras', 'messages from the server come on'],
    transportNames.map((name) => {
      const facts = factsOf(name);
      const schemes = facts.schemes.map((scheme) => code(scheme.replace(':', '')));
      const eras = facts.eras.join(', ');
      return [code(name), facts.summary, schemes.join(', '), eras, serverMessages[facts.serverMessages]];
    }),
  );
}

function misbehaviourTable(): string {
  return table(
    ['transport', 'abort', 'malformed', 'reconnect', 'readRate, writeRate'],
    transportNames.map((name) => {
      const { aborts, malformed, keepsSession, unsupported = {} } = factsOf(name).misbehaviour;
      const reconnect = keepsSession ? '`keep`, `new`' : '`new`';
      return [
        code(name),
        orNone(aborts),
        orNone(malformed),
        'reconnect' in unsupported ? 'none' : reconnect,
        'readRate' in unsupported ? 'no' : 'yes',
      ];
    }),
  );
}

function orNone(kinds: readonly string[]): string {
  return kinds.length === 0 ? 'none' : kinds.join(', ');
}

function metricTable(): string {
  const anyStatistic = `{${statistics.join(',')}}`;
  return table(
    ['metric', 'unit', 'labels', 'meaning'],
    [
      ...Object.entries(distributions).map(([name, metric]) => metricRow(`${name}.${anyStatistic}`, metric)),
      ...Object.entries(scalars).map(([name, metric]) => metricRow(name, metric)),
    ],
  );
}

const unitsOfMetrics: Readonly<Record<MetricUnit, string>> = {
  time: '`ms`, `s`, ...',
  perSecond: '`/s`, `/min`, `/h`',
  ratio: '`%`, or none: 0 to 1',
  cores: '`%` of one core',
  count: 'none',
  bytes: '`KiB`, `MB`, ...',
};

function metricRow(name: string, metric: Metric): readonly string[] {
  return [code(name), unitsOfMetrics[metric.unit], metric.labels.join(', '), metric.help];
}

function unitTable(): string {
  return table(
    ['quantity', 'such as', 'units'],
    Object.values(quantities).map(({ noun, examples, units }) => [noun, examples, units]),
  );
}

function placeholderTable(): string {
  return table(
    ['placeholder', 'gives'],
    Object.values(placeholders).map(({ example, gives }) => [code(example), gives]),
  );
}

function meaningTable(what: string, meaning: string, meanings: Readonly<Record<string, string>>): string {
  return table(
    [what, meaning],
    Object.entries(meanings).map(([name, text]) => [code(name), text]),
  );
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
