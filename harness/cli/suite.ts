/** Several runs as one: what `swarmbench run` makes of its arguments, and the files it writes about all of them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plan } from '../../scenarios/schema/plan.js';
import { matrixSteps, readSuite, type Suite, type SuiteResult, type SuiteStep } from '../../scenarios/schema/suite.js';
import { transportNames } from '../../scenarios/schema/transports.js';
import { formatProblems } from '../../scenarios/yaml/problem.js';
import { runId } from '../log/run-id.js';
import {
  axesOf,
  type PlannedRow,
  rowOf,
  rowWithout,
  type SuiteDocument,
  type SuiteRow,
  suiteDocument,
  verdictOf,
} from '../overview/suite-document.js';
import { renderSuite } from '../overview/suite-page.js';
import { renderSuiteJunit, renderSuiteMarkdown } from '../overview/suite-text.js';
import { CliError } from './cli-error.js';
import { redactedCommand } from './command-line.js';
import type { Host } from './host.js';
import { type LoadOptions, planOf } from './options/load-options.js';
import { packageVersion } from './package-root.js';
import type { ConductedRun } from './run-conductor.js';

/** The files of a suite. */
export const SUITE_FILES = ['index.html', 'suite.json', 'suite.md', 'junit.xml'] as const;

/**
 * @param scenarios names of scenarios, their files, and suite files
 * @param matrix `AXIS=VALUE,VALUE`; only for scenarios
 * @throws CliError exit code 2 with every problem at its place
 */
export function suiteOf(scenarios: readonly string[], matrix: readonly string[]): Suite {
  const parts = scenarios.map((scenario) => readSuite(scenario) ?? matrixSteps([scenario], matrix));
  const wrong = parts.flatMap((part) => (part.ok ? [] : part.problems));
  if (wrong.length > 0)
    throw new CliError({
      code: wrong[0]?.code ?? 'INVALID_VALUE',
      message: `${scenarios.join(', ')}: ${wrong.length === 1 ? 'one problem' : `${wrong.length} problems`}`,
      where: formatProblems(wrong).replaceAll('\n', '\n  '),
    });
  const suites = parts.filter((part): part is Extract<SuiteResult, { ok: true }> => part.ok).map(({ suite }) => suite);
  const [only] = suites;
  if (suites.length === 1 && only !== undefined) return only;
  const name = suites.map(({ name: one }) => one.replace(/^.*[/\\]|\.ya?ml$/g, '')).join('-');
  return { name, description: undefined, steps: suites.flatMap(({ steps }) => steps) };
}

export interface PlannedStep {
  readonly step: SuiteStep;
  /** The options of the command line with what the step changes; the command line wins. */
  readonly options: LoadOptions;
  readonly plan: Plan;
}

/** All plans before the first run: a mistake in the last must not show up after an hour. @throws CliError */
export function plannedSteps(suite: Suite, options: LoadOptions, host: Host): readonly PlannedStep[] {
  return suite.steps.map((step) => {
    const merged = withStep(options, step);
    return { step, options: merged, plan: planOf(step.scenario, merged, host) };
  });
}

/** The options of the command line with what a step changes. */
export function withStep<T extends LoadOptions>(options: T, step: SuiteStep): T {
  const { sets, targets, timeScale, seed, era, transport } = step;
  const eras = ['auto', 'legacy', 'modern'] as const;
  const knownEra = eras.find((one) => one === era);
  const knownTransport = transportNames.find((one) => one === transport);
  return {
    ...options,
    set: [...sets, ...options.set],
    ...(options.target.length === 0 && targets.length > 0 ? { target: targets } : {}),
    ...(options.timeScale === undefined && timeScale !== undefined ? { timeScale } : {}),
    ...(options.seed === undefined && seed !== undefined ? { seed } : {}),
    ...(knownEra === undefined ? {} : { era: knownEra }),
    ...(knownTransport === undefined ? {} : { transport: knownTransport }),
  };
}

/** What the suite calls a run. */
export function plannedRow({ step, plan }: PlannedStep, trial: number, trials: number): PlannedRow {
  const place = Object.entries(step.axes).map(([axis, value]) => `${axis} ${value}`);
  const name = step.title ?? (place.length === 0 ? plan.scenario : `${plan.scenario} (${place.join(', ')})`);
  const title = trials > 1 ? `${name} #${trial}` : name;
  return { scenario: plan.scenario, title, axes: step.axes, trial };
}

/** Collects the rows of a suite, and writes its files after the last run. */
export class SuiteRecord {
  private readonly rows: SuiteRow[] = [];
  private readonly startedAt = new Date();
  private readonly id: string;

  constructor(
    private readonly suite: Suite,
    /** Folder with the results of runs. */
    private readonly results: string,
    private readonly host: Host,
  ) {
    this.id = `suite-${runId(suite.name, this.startedAt.getTime())}`;
  }

  get folder(): string {
    return join(this.results, this.id);
  }

  add(planned: PlannedRow, { finished, report }: ConductedRun): void {
    const folder = relative(this.folder, finished.folder);
    if (report !== undefined) this.rows.push(rowOf(planned, folder, report));
    else
      this.rows.push(
        rowWithout(planned, {
          verdict: 'incomplete',
          reasons: [...finished.problems],
          exitCode: null,
          runId: finished.runId,
          folder,
        }),
      );
  }

  skip(planned: PlannedRow, why: string): void {
    this.rows.push(rowWithout(planned, { verdict: 'skipped', reasons: [why], exitCode: null }));
  }

  /** @param exitCode of all runs together */
  write(exitCode: number): SuiteDocument {
    const { name, description } = this.suite;
    const document = suiteDocument.parse({
      schemaVersion: 1,
      id: this.id,
      name,
      ...(description === undefined ? {} : { description }),
      version: packageVersion(),
      command: redactedCommand(this.host.args),
      startedAt: this.startedAt.toISOString(),
      endedAt: new Date().toISOString(),
      exitCode,
      verdict: verdictOf(this.rows),
      axes: axesOf(this.rows),
      rows: this.rows,
    } satisfies SuiteDocument);
    mkdirSync(this.folder, { recursive: true });
    const texts: Readonly<Record<(typeof SUITE_FILES)[number], string>> = {
      'index.html': renderSuite(document),
      'suite.json': `${JSON.stringify(document, undefined, 1)}\n`,
      'suite.md': renderSuiteMarkdown(document),
      'junit.xml': renderSuiteJunit(document),
    };
    for (const [file, text] of Object.entries(texts)) writeFileSync(join(this.folder, file), text);
    return document;
  }
}
