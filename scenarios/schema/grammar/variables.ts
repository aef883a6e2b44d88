/** `${VAR}` and its relatives in headers, environments and the configuration files of MCP clients. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** Something that a file asks its user for. */
export interface DeclaredInput {
  readonly description?: string;
  readonly fallback?: string;
}

/** What variables stand for. Only files of MCP clients have more than an environment. */
export interface Variables {
  readonly env: Environment;
  readonly editor?: EditorVariables;
}

interface EditorVariables {
  /** `--input NAME=VALUE`, for `${input:NAME}`. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The inputs that the file declares. */
  readonly declared: ReadonlyMap<string, DeclaredInput>;
  /** `${workspaceFolder}` and the like. */
  readonly folders: Readonly<Record<string, string>>;
  /** For `${file:PATH}`. Undefined when there is no such file. */
  readonly readText: (path: string) => string | undefined;
}

export interface VariableProblem {
  readonly code: 'INVALID_VALUE' | 'UNSET_VARIABLE';
  readonly message: string;
  readonly hint?: string;
}

type Expanded =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problems: readonly VariableProblem[] };

/**
 * Replaces `${VAR}`, `${VAR:-default}` and `${env:VAR}`; a default may hold variables. In the file of an MCP client
 * also `${input:NAME}`, `${file:PATH}`, `${workspaceFolder}`, `${{ secrets.NAME }}`, and a text that is nothing but
 * `$NAME`. What is no variable stays as it is.
 */
export function expandVariables(text: string, variables: Variables): Expanded {
  const expansion = new Expansion(text, variables);
  const expanded = expansion.run();
  const problems = expansion.problems();
  return problems.length === 0 ? { ok: true, text: expanded } : { ok: false, problems };
}

/** Where `$NAME` is the whole text, it is a variable; elsewhere a dollar sign may be part of a password. */
const bareVariable = /^\$([A-Z_][A-Z0-9_]*)$/;
const environmentVariable = /\$\{(?:env:)?(\w+)(\}|:-)/y;
const templateVariable = /\$\{\{\s*(secrets|inputs)\.([\w.-]+)\s*\}\}/y;
/** `${input:id}`, and editors have many more: `${command:x}`, `${config:x}`. */
const prefixedVariable = /\$\{(\w+):([^{}]+)\}/y;

/** Deeper defaults in defaults are not expanded. */
const MAX_DEPTH = 16;

class Expansion {
  private at = 0;
  private readonly unset: string[] = [];
  private readonly found: VariableProblem[] = [];

  constructor(
    private readonly text: string,
    private readonly variables: Variables,
  ) {}

  run(): string {
    const bare = this.variables.editor === undefined ? undefined : bareVariable.exec(this.text)?.[1];
    return bare === undefined ? this.span(0) : this.environment(bare, undefined);
  }

  problems(): readonly VariableProblem[] {
    const { unset } = this;
    if (unset.length === 0) return this.found;
    const message = `the environment variable ${unset.join(', ')} is not set`;
    return [{ code: 'UNSET_VARIABLE', message, hint: `export ${unset[0] ?? ''}=...` }, ...this.found];
  }

  /** Up to the end of the text, or, within a default, to the brace that ends it. */
  private span(depth: number): string {
    const parts: string[] = [];
    let from = this.at;
    for (;;) {
      const next = this.next(depth);
      parts.push(this.text.slice(from, next));
      this.at = next;
      if (next === this.text.length || this.text[next] === '}') return parts.join('');
      const value = this.variable(depth);
      if (value === undefined) {
        parts.push('$');
        this.at = next + 1;
      } else parts.push(value);
      from = this.at;
    }
  }

  /** The next place that could matter. */
  private next(depth: number): number {
    const { text } = this;
    let at = this.at;
    while (at < text.length && !(text[at] === '$' && text[at + 1] === '{') && !(depth > 0 && text[at] === '}')) at += 1;
    return at;
  }

  /** @returns undefined when what stands here is no variable */
  private variable(depth: number): string | undefined {
    const { editor } = this.variables;
    if (editor !== undefined) {
      const [, kind = '', name = ''] = this.take(templateVariable) ?? [];
      if (name !== '') return this.input(name, kind === 'secrets' ? this.variables.env[name] : undefined);
      for (const [folder, value] of Object.entries(editor.folders)) if (this.takeText(`\${${folder}}`)) return value;
    }
    const [, variable, end] = this.take(environmentVariable) ?? [];
    if (variable !== undefined) {
      if (end === '}') return this.environment(variable, undefined);
      if (depth >= MAX_DEPTH) return this.refuse(`\`${variable}\` has defaults within defaults, too many of them`);
      const fallback = this.span(depth + 1);
      if (this.at === this.text.length) return this.refuse(`\`\${${variable}:-\` has no closing brace`);
      this.at += 1;
      return this.environment(variable, fallback);
    }
    const [written, prefix = '', name = ''] = this.take(prefixedVariable) ?? [];
    if (written === undefined) return undefined;
    if (prefix === 'input') return this.input(name, undefined);
    if (prefix === 'file' && editor !== undefined) {
      const text = editor.readText(name);
      return text === undefined ? this.refuse(`there is no file ${name}, which \`${written}\` names`) : text.trim();
    }
    return this.refuse(`swarmbench does not know what \`${written}\` stands for`, 'write its value in place of it');
  }

  private environment(name: string, fallback: string | undefined): string {
    const value = this.variables.env[name] ?? fallback;
    if (value === undefined && !this.unset.includes(name)) this.unset.push(name);
    return value ?? '';
  }

  private input(name: string, other: string | undefined): string {
    const { editor } = this.variables;
    const declared = editor?.declared.get(name);
    const value =
      (editor !== undefined && Object.hasOwn(editor.inputs, name) ? editor.inputs[name] : other) ?? declared?.fallback;
    if (value !== undefined) return value;
    if (editor === undefined) return this.refuse(`\`\${input:${name}}\` has a value only in a --config file`);
    const what = declared?.description === undefined ? '' : ` (${declared.description})`;
    return this.refuse(`the input \`${name}\`${what} has no value`, `--input ${name}=VALUE`);
  }

  private refuse(message: string, hint?: string): string {
    if (!this.found.some((problem) => problem.message === message))
      this.found.push({ code: 'INVALID_VALUE', message, ...(hint === undefined ? {} : { hint }) });
    return '';
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match !== null) this.at += match[0].length;
    return match;
  }

  private takeText(text: string): boolean {
    const isHere = this.text.startsWith(text, this.at);
    if (isHere) this.at += text.length;
    return isHere;
  }
}
