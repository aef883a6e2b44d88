/** A stack that `swarmbench run --on swarm` deploys and uses, and what its newest run left behind. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { IDLE_REPLICAS_LABEL } from '../../../harness/platform/swarm/run-on-stack/scale-for-run.js';
import { labelOf } from '../../../harness/platform/swarm/stack/stack-objects.js';
import { type Report, reportSchema } from '../../../harness/report/schema.js';
import { type Program, startProgram } from '../../support/program.js';
import { type OwnStack, offlineImages, ownStack } from '../../support/swarm/own-stack.js';
import { removeStack } from '../../support/swarm/stacks.js';
import { engine } from '../../support/swarm/swarm.js';
import { type ScenarioFile, writeScenario } from '../../support/swarmbench.js';

const WITHIN_MS = 900_000;

export class RunStack {
  readonly signal = AbortSignal.timeout(WITHIN_MS);
  readonly folder: string;
  /** Of the newest run. */
  readonly latest: string;
  private made: { readonly stack: OwnStack; readonly serverImage: string; readonly node: string } | undefined;

  constructor(readonly name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`));
    this.latest = join(this.folder, 'results', 'latest');
  }

  /** Makes the images and chooses ports; deploys nothing. */
  async prepare(): Promise<void> {
    await removeStack(this.name);
    const images = await offlineImages();
    this.made = {
      stack: await ownStack(this.name, join(this.folder, 'unused'), images),
      serverImage: images.environment.MCP_SERVER_IMAGE ?? '',
      node: (await engine.info(this.signal)).Name,
    };
  }

  async remove(): Promise<void> {
    await removeStack(this.name);
    rmSync(this.folder, { recursive: true, force: true });
  }

  get stack(): OwnStack {
    return this.prepared.stack;
  }

  /** Image of the stack's own MCP server. */
  get serverImage(): string {
    return this.prepared.serverImage;
  }

  /** The only node of the swarm. */
  get node(): string {
    return this.prepared.node;
  }

  /** Any command of ours, with images and ports as a user would set them; it makes tokens and the rest by itself. */
  command(...args: readonly string[]): Program {
    const environment = Object.fromEntries(
      Object.entries(this.stack.environment).filter(([key]) => /_IMAGE$|_PORT$|_REPLICAS$|^HEALTH_INTERVAL$/.test(key)),
    );
    return startProgram('harness/cli/main.js', args, environment, this.folder);
  }

  /** Publishes Prometheus, which the stack as deployed by a run does not. */
  async observe(): Promise<void> {
    const program = this.command('up', '--stack', this.name, '--observe');
    if ((await program.ended) !== 0) throw new Error(program.stderr());
  }

  /** @param scenario one that comes with swarmbench, or what its file says */
  run(scenario: string | ScenarioFile, ...args: readonly string[]): Program {
    const file = typeof scenario === 'string' ? scenario : writeScenario(scenario, this.folder);
    return this.command('run', file, '--on', 'swarm', '--stack', this.name, ...args);
  }

  /** Of the newest run. @param program that made it, ended */
  report(program: Program): Report {
    try {
      return reportSchema.parse(JSON.parse(readFileSync(join(this.latest, 'report.json'), 'utf8')));
    } catch (cause) {
      throw new Error(`there is no report:\n${program.stdout()}\n${program.stderr()}`, { cause });
    }
  }

  /** What the harness answers to its operator. @param path of the API */
  async ask(path: string): Promise<unknown> {
    const token = readFileSync(join(this.folder, '.swarmbench', this.name, 'api-token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${this.stack.harnessUrl}${path}`, { headers, signal: this.signal })).json();
  }

  /** How many replicas a service has now, and the note of how many it had before the run. */
  async replicasOf(service: string): Promise<{ readonly now: number | undefined; readonly idle: string | undefined }> {
    const { Spec } = await engine.services.inspect(`${this.name}_${service}`, this.signal);
    return { now: Spec.Mode.Replicated?.Replicas, idle: Spec.Labels[IDLE_REPLICAS_LABEL] };
  }

  /** Nothing of a run is left: workers at 0, the target as deployed, no note of it. */
  async expectIdle(): Promise<void> {
    const services = await engine.services.labelled(labelOf(this.name), this.signal);
    expect(services.filter(({ Spec }) => Spec.Labels[IDLE_REPLICAS_LABEL] !== undefined)).toEqual([]);
    const replicas = (part: string): readonly (number | undefined)[] =>
      services
        .filter(({ Spec }) => Spec.Name.startsWith(`${this.name}_${part}`))
        .map(({ Spec }) => Spec.Mode.Replicated?.Replicas);
    expect(new Set(replicas('client-sim-'))).toEqual(new Set([0]));
    expect(replicas('mcp-server')).toEqual([2]);
  }

  private get prepared(): NonNullable<typeof this.made> {
    if (this.made === undefined) throw new Error('prepare() comes first');
    return this.made;
  }
}
