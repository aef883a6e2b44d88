import type { ScalarNode, SourceNode } from '../../../../../scenarios/yaml/node.js';
import { parseYaml, type YamlDialect } from '../../../../../scenarios/yaml/parse-yaml.js';
import type { Position } from '../../../../../scenarios/yaml/problem.js';
import { Findings } from '../findings.js';
import { resolvePlain, type Scalar } from './scalar.js';
import { describeValue, type MapValue, type SourceValue } from './value.js';

/**
 * Reads a compose file into the values that it has for the CLI, whose YAML reader is Go's yaml.v3: its merge keys,
 * scalars and refusals. Undefined when the text cannot be read; the findings then say why.
 */
export function readGoYaml(text: string, file: string, findings: Findings): MapValue | undefined {
  const before = findings.problems.length;
  const start = { file, line: 1, column: 1 };
  const { node, problems, secondAt } = parseYaml(text, start, goYaml);
  for (const problem of problems) findings.problems.push(problem);
  if (problems.length > 0) return undefined;
  if (node === undefined) {
    findings.refuse(start, 'SYNTAX', '', 'the file is empty', 'a compose file is a map with `services`');
    return undefined;
  }
  if (secondAt !== undefined) {
    const message = 'only the first document of a file is read';
    findings.warn(secondAt, 'IGNORED', '', message, 'put each of the others in a file of its own');
  }
  const value = toSourceValue(node, findings);
  if (findings.problems.length > before) return undefined;
  if (value.kind === 'map') return value;
  findings.refuse(value.at, 'SYNTAX', '', `a compose file must be a map, not ${describeValue(value)}`);
  return undefined;
}

const goYaml: YamlDialect = { mergeKeys: true, documents: 'first', tags: 'kept', keyProblem };

function keyProblem(key: SourceNode): ReturnType<YamlDialect['keyProblem']> {
  const value = toSourceValue(key, new Findings());
  if (value.kind === 'text') return undefined;
  return { message: `a key must be text, and this one is ${describeValue(value)}`, hint: 'put the key in quotes' };
}

function toSourceValue(node: SourceNode, findings: Findings): SourceValue {
  const { at } = node;
  if (isUnknown(node.tag)) warnOfTag(node.tag, at, findings);
  if (node.kind === 'list') return { kind: 'list', items: node.items.map((item) => toSourceValue(item, findings)), at };
  if (node.kind === 'map') {
    const entries = [...node.entries].map(
      ([key, { keyAt, node: inner }]) => [key, { keyAt, value: toSourceValue(inner, findings) }] as const,
    );
    return { kind: 'map', entries: new Map(entries), at };
  }
  const scalar = scalarOf(node);
  if (scalar.kind !== 'wrong') return { ...scalar, at };
  findings.refuse(at, 'SYNTAX', '', scalar.message);
  return { kind: 'unknown', at };
}

function scalarOf({ source, plain, tag }: ScalarNode): Scalar | { readonly kind: 'wrong'; readonly message: string } {
  if (tag === undefined && plain) return finite(resolvePlain(source));
  if (tag === `${STANDARD}binary`) return { kind: 'text', text: Buffer.from(source, 'base64').toString() };
  if (!tag?.startsWith(STANDARD) || tag === `${STANDARD}str`) return { kind: 'text', text: source };
  const value = resolvePlain(source);
  const wanted = tag.slice(STANDARD.length);
  if (wanted === 'float' && value.kind === 'integer') return { kind: 'float', value: Number(value.value) };
  if (TAG_OF[value.kind] === wanted) return finite(value);
  return { kind: 'wrong', message: `"${source}" cannot be read as !!${wanted}` };
}

function finite(value: Scalar): ReturnType<typeof scalarOf> {
  return value.kind === 'float' && !Number.isFinite(value.value)
    ? { kind: 'wrong', message: 'infinity and not-a-number cannot be used' }
    : value;
}

function warnOfTag(tag: string, at: Position, findings: Findings): void {
  const message = `the tag ${tag} has no meaning here and is ignored`;
  findings.warn(at, 'IGNORED', '', message, 'only `docker compose` knows !reset and !override');
}

/** How the names of YAML's own tags begin. */
const STANDARD = 'tag:yaml.org,2002:';

/** A bare `!` is known: it makes a scalar text. */
function isUnknown(tag: string | undefined): tag is string {
  return tag !== undefined && tag !== '!' && !tag.startsWith(STANDARD);
}

const TAG_OF: Readonly<Record<Scalar['kind'], string>> = {
  text: 'str',
  integer: 'int',
  float: 'float',
  flag: 'bool',
  time: 'timestamp',
  null: 'null',
};
