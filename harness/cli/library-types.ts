/** The types of `import { run, compare } from 'mcp-swarm-bench'`. `npm pack` writes them without our other sources. */
import type { ComparisonDocument } from '../compare/document.js';
import type { Report } from '../report/schema.js';

export type { ComparisonDocument, Report };

export interface CommonOptions {
  /** Folder that relative paths start from. Default: the current one. */
  readonly cwd?: string;
  /** On top of the environment of the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the run early, with a report, as Ctrl-C does. */
  readonly signal?: AbortSignal;
  /** What the command line writes to stderr: plan, progress, warnings. Default: nowhere. */
  readonly onProgress?: (text: string) => void;
  /** Folder with the results of runs. Default: `results`. */
  readonly out?: string;
}

interface CompareRules {
  /** What counts as a change, such as `latency.p95 +10% and +2ms`. */
  readonly rule?: string | readonly string[];
  /** File with rules. */
  readonly rules?: string;
  readonly paired?: boolean;
  readonly inconclusive?: 'pass' | 'fail';
  readonly force?: boolean;
  /** File that `swarmbench noise` wrote. */
  readonly noise?: string;
}

export interface RunOptions extends CommonOptions, CompareRules {
  /** URL of the server, or several. */
  readonly target?: string | readonly string[];
  /** `NAME=URL`, two or more: servers to compare in turn within one run. */
  readonly arm?: string | readonly string[];
  /** Starts a server that speaks over its standard streams, as what stands behind `--` on the command line. */
  readonly command?: readonly string[];
  /** The configuration file of an MCP client; `server` names one of its servers. */
  readonly config?: string;
  readonly server?: string;
  /** Such as `{ 'workload.normal.clients': 50 }`. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly timeScale?: number;
  readonly seed?: number;
  readonly tool?: string | readonly string[];
  /** Of the one `tool`. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** `Name: value`. */
  readonly header?: string | readonly string[];
  readonly transport?: string;
  readonly era?: 'auto' | 'legacy' | 'modern';
  readonly allowTarget?: string | readonly string[];
  readonly authTokenFile?: string;
  readonly tlsCa?: string;
  readonly insecure?: boolean;
  readonly workers?: number;
  readonly threads?: number;
  readonly trials?: number;
  /** Such as `replicas=1,2,4`. */
  readonly matrix?: string | readonly string[];
  readonly label?: Readonly<Record<string, string>>;
  readonly junit?: string;
  /** Compares the runs with these, as `swarmbench compare` names them. */
  readonly compare?: string;
}

/** Every key is an option of `swarmbench compare`. */
export interface CompareOptions extends CommonOptions, CompareRules {
  readonly junit?: string;
  readonly markdown?: string;
}

export interface RunResult {
  /** 0 passed, 3 unreachable, 4 invalid or incomplete, 5 regressed, 6 inconclusive, 99 a threshold failed. */
  readonly exitCode: number;
  readonly runs: readonly Outcome[];
  /** Of several runs. */
  readonly suite?: SuiteOutcome;
  /** With the option `compare`. */
  readonly comparison?: ComparisonDocument;
}

/** What was written about several runs. */
export interface SuiteOutcome {
  readonly verdict: 'passed' | 'failed' | 'invalid' | 'incomplete';
  readonly folder: string;
  /** Paths by name: `index.html`, `suite.json`, `suite.md`, `junit.xml`. */
  readonly files: Readonly<Record<string, string>>;
}

/** A finished run. */
export interface Outcome {
  readonly runId: string;
  readonly exitCode: number;
  readonly verdict: Report['verdict'];
  readonly failure: { readonly code: string; readonly message: string; readonly hint?: string } | null;
  readonly problems: readonly string[];
  /** From the report; null when there is none. */
  readonly scenario: string | null;
  readonly notes: readonly string[];
  readonly thresholds: Report['thresholds'];
  /** In a run with arms: what each adds to the first. */
  readonly arms?: Report['arms'];
  readonly summary: Report['summary'] | null;
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
}

/** A scenario as its file says it; `docs/scenario-reference.md` has the keys. Paths in it must be absolute. */
export interface Scenario {
  readonly name: string;
  readonly [key: string]: unknown;
}
