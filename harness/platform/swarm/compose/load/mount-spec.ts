/** Short mounts: `[source:]target[:options]`. Facts: docker/cli 28, cli/compose/loader/volume.go. */

interface ShortMount {
  readonly type: 'volume' | 'bind';
  readonly source: string | undefined;
  readonly target: string;
  readonly readOnly: boolean;
  readonly noCopy: boolean;
  readonly propagation: string | undefined;
  readonly unknownOptions: readonly string[];
}

type Parsed = ShortMount | { readonly type: 'wrong'; readonly message: string };

const PROPAGATIONS = ['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'];

export function parseMountSpec(spec: string): Parsed {
  if (spec === '') return { type: 'wrong', message: 'is empty' };
  if (Buffer.byteLength(spec) <= 2) return { ...NO_OPTIONS, type: 'volume', source: undefined, target: spec };
  const sections = split(spec);
  if (sections.includes(''))
    return { type: 'wrong', message: `"${spec}" has nothing between two colons, or before or after one` };
  if (sections.length > 3) return { type: 'wrong', message: `"${spec}" has too many colons` };
  const [first = '', target, options = ''] = sections;
  if (target === undefined) return { ...NO_OPTIONS, type: 'volume', source: undefined, target: first };
  return { ...readOptions(options), type: isPath(first) ? 'bind' : 'volume', source: first, target };
}

const NO_OPTIONS = { readOnly: false, noCopy: false, propagation: undefined, unknownOptions: [] };

/** At colons, but not at the one of a drive letter. */
function split(spec: string): readonly string[] {
  const sections = [''];
  for (const character of spec) {
    const current = sections.at(-1) ?? '';
    if (character === ':' && !/^\p{L}$/u.test(current)) sections.push('');
    else sections[sections.length - 1] = current + character;
  }
  return sections;
}

function readOptions(text: string): Omit<ShortMount, 'type' | 'source' | 'target'> {
  const options = text === '' ? [] : text.split(',');
  const access = options.findLast((option) => option === 'ro' || option === 'rw');
  return {
    readOnly: access === 'ro',
    noCopy: options.includes('nocopy'),
    propagation: options.findLast((option) => PROPAGATIONS.includes(option)),
    unknownOptions: options.filter((option) => !['ro', 'rw', 'nocopy', ...PROPAGATIONS].includes(option)),
  };
}

function isPath(source: string): boolean {
  return /^[./~]/.test(source) || source.startsWith('\\\\') || /^\p{L}:/u.test(source);
}
