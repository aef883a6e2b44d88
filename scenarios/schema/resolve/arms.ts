/** Arms: targets that are compared within one run, in turns. Each is a variation of the scenario's target. */
import { createHash } from 'node:crypto';
import { child, descend, emptyMap, type MapNode, withEntry } from '../../yaml/node.js';
import type { Position, Problem as YamlProblem } from '../../yaml/problem.js';
import { problemAt } from '../../yaml/problem.js';
import { checkNode } from '../keys/check-node.js';
import { name as nameSchema } from '../keys/fields.js';
import { type ScenarioSource, type TargetSource, targetSchema } from '../keys/scenario-schema.js';
import type { LoadSegment, ProfilePlan, StagePlan } from '../plan.js';
import { type ProblemCode, positionOfOption, type ReportProblem, SourcePart } from '../source-part.js';
import type { TransportName } from '../transports.js';
import { isFromCommandLine, type TargetRequest } from './target.js';

/** `--arm NAME=URL`. */
export interface ArmOption {
  readonly name: string;
  readonly url: string;
}

/** An arm as if its target were that of the scenario. */
export interface ArmSource {
  readonly name: string;
  readonly source: TargetSource | undefined;
  /** The scenario with the target of this arm. */
  readonly node: MapNode;
  readonly request: TargetRequest;
  /** Of all its clients. */
  readonly transport: TransportName | undefined;
  /** Places problems with the keys of the arm where they stand. */
  readonly report: ReportProblem;
}

/** @returns undefined where there are no arms, or something is wrong with them, which is reported */
export function armSources(
  source: Partial<ScenarioSource>,
  scenario: MapNode,
  request: TargetRequest & { readonly arms: readonly ArmOption[] },
  report: ReportProblem,
): readonly ArmSource[] | undefined {
  const written = source.arms ?? {};
  if (Object.keys(written).length === 0 && request.arms.length === 0) return undefined;
  const names = [...new Set([...Object.keys(written), ...request.arms.map(({ name }) => name)])];
  if (!areUsable(names, request, report)) return undefined;
  const node = source.arms === undefined ? undefined : child(scenario, 'arms');
  return names.map((name): ArmSource => {
    const own = child(node, name);
    const ownMap = own?.kind === 'map' ? own : emptyMap(scenario.at);
    const armScenario = withTarget(scenario, ownMap);
    const reportHere: ReportProblem = (problem) => report(placed(problem, name, ownMap));
    const targets = request.arms.filter((arm) => arm.name === name).map(({ url }) => url);
    const merged = child(armScenario, 'target');
    return {
      name,
      source:
        merged === undefined ? undefined : checkNode(targetSchema, new SourcePart(merged, `arms.${name}`, report)),
      node: armScenario,
      request: { ...request, targets, targetOption: '--arm' },
      transport: written[name]?.transport,
      report: reportHere,
    };
  });
}

function areUsable(
  names: readonly string[],
  request: TargetRequest & { readonly arms: readonly ArmOption[] },
  report: ReportProblem,
): boolean {
  const refuse = (at: Position, code: ProblemCode, message: string, hint: string): false => {
    report(problemAt(at, code, 'arms', message, hint));
    return false;
  };
  const example =
    'swarmbench run baseline --arm direct=http://localhost:3000/mcp --arm gateway=http://localhost:8080/mcp';
  const bad = request.arms.find(({ name }) => !nameSchema.safeParse(name).success);
  if (bad !== undefined)
    return refuse(
      positionOfOption('--arm'),
      'INVALID_VALUE',
      `\`${bad.name}\` is not a name: letters, digits, "-" and "_"`,
      example,
    );
  if (isFromCommandLine(request))
    return refuse(
      positionOfOption(request.targets.length > 0 ? '--target' : '--config'),
      'CONFLICT',
      'the run has arms, and each of them has its own server',
      `name the server of an arm: ${names.map((name) => `--arm ${name}=URL`).join(' ')}`,
    );
  if (names.length < 2)
    return refuse(positionOfOption('--arm'), 'CONFLICT', 'one arm alone is compared with nothing', example);
  return true;
}

/**
 * The scenario with the arm's keys over those of its target; an arm with a server of its own takes only what does not
 * depend on it.
 */
function withTarget(scenario: MapNode, arm: MapNode): MapNode {
  const target = child(scenario, 'target');
  const base = target?.kind === 'map' ? target : emptyMap(scenario.at);
  const kept = arm.entries.has('server')
    ? [...base.entries].filter(([key]) => key === 'era' || key === 'truth')
    : [...base.entries];
  const own = [...arm.entries].filter(([key]) => key !== 'transport');
  const entries = new Map([...kept, ...own]);
  return withEntry(scenario, 'target', { keyAt: arm.at, node: { ...base, entries } });
}

/** A problem that names a key of the target, under its name in the arm where it stands there. */
function placed<P extends YamlProblem<ProblemCode>>(problem: P, name: string, arm: MapNode): P {
  const [first, ...keys] = problem.path.split('.');
  if (first !== 'target' || descend(arm, keys.slice(0, 1)) === undefined) return problem;
  return { ...problem, path: ['arms', name, ...keys].join('.') };
}

/** Copies of the profiles for each arm. They have the same slots. */
export function profilesOfArm(profiles: readonly ProfilePlan[], arm: string): readonly ProfilePlan[] {
  return profiles.map((profile) => ({ ...profile, name: nameInArm(profile.name, arm), arm }));
}

export function nameInArm(profile: string, arm: string): string {
  return `${profile}@${arm}`;
}

export interface Turns {
  readonly arms: readonly string[];
  /** Names of the profiles in the workload. */
  readonly profiles: readonly string[];
  /** Undefined: by the length of the stage. */
  readonly blocks: number | undefined;
  readonly settleMs: number;
  readonly seed: number;
}

const TURN_MS = 3_000;
const FEWEST_BLOCKS = 6;
const MOST_BLOCKS = 20;
/** At the start of a turn nobody is active for so long: what the arm before has sent is answered by then. */
const PAUSE_MS = 300;

/**
 * Cuts each measured stage into blocks, in which every arm has one turn with the same piece of the load. The order
 * within a block is drawn, and the next block has it the other way round (A B B A), so that what drifts evenly adds the
 * same to each arm. Stages that are not measured are done by one arm after the other.
 */
export function interleave(stages: readonly StagePlan[], turns: Turns): readonly StagePlan[] {
  const all: StagePlan[] = [];
  let startMs = 0;
  const add = (stage: Omit<StagePlan, 'index' | 'startMs'>): void => {
    const segments = stage.segments.map((segment) => shifted(segment, startMs));
    all.push({ ...stage, index: all.length, startMs, segments });
    startMs += stage.durationMs;
  };
  for (const stage of stages) {
    const blocks = stage.measured ? (turns.blocks ?? usualBlocks(stage)) : 1;
    for (let block = 1; block <= blocks; block += 1) {
      const piece = pieceOf(stage, (block - 1) / blocks, block / blocks);
      for (const arm of orderOf(turns, stage, block)) {
        const profiles = (stage.profiles ?? turns.profiles).map((profile) => nameInArm(profile, arm));
        const turn = { ...piece, profiles, arm };
        if (!stage.measured) {
          add(turn);
          continue;
        }
        add({ ...turn, ...settling(piece, turns.settleMs) });
        add({ ...turn, block });
      }
    }
  }
  return all;
}

function usualBlocks({ durationMs }: StagePlan): number {
  const fitting = Math.floor(durationMs / TURN_MS);
  // An even number, so that each order has its reverse.
  return Math.max(FEWEST_BLOCKS, Math.min(MOST_BLOCKS, fitting - (fitting % 2)));
}

function orderOf({ arms, seed }: Turns, stage: StagePlan, block: number): readonly string[] {
  const pair = (block - 1) >> 1;
  const draw = (arm: string): string =>
    createHash('sha256').update(`${seed} ${stage.index} ${pair} ${arm}`).digest('hex');
  const drawn = arms.map((arm) => ({ arm, key: draw(arm) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const order = drawn.map(({ arm }) => arm);
  return block % 2 === 1 ? order : order.reverse();
}

/** Part of a stage, from 0 to 1; times from its own start. */
function pieceOf(stage: StagePlan, from: number, to: number): Omit<StagePlan, 'index' | 'startMs'> {
  const { index: _, startMs, durationMs, ...rest } = stage;
  const [fromMs, toMs] = [Math.round(durationMs * from), Math.round(durationMs * to)];
  const segments = stage.segments
    .filter((segment) => segment.endMs > startMs + fromMs && segment.startMs < startMs + toMs)
    .map((segment) => {
      const begin = Math.max(segment.startMs, startMs + fromMs);
      const end = Math.min(segment.endMs, startMs + toMs);
      return shifted(
        { startMs: begin, endMs: end, from: levelAt(segment, begin), to: levelAt(segment, end) },
        -startMs - fromMs,
      );
    });
  return { ...rest, durationMs: toMs - fromMs, segments };
}

function levelAt({ startMs, endMs, from, to }: LoadSegment, atMs: number): number {
  return endMs === startMs ? to : from + ((to - from) * (atMs - startMs)) / (endMs - startMs);
}

function shifted({ startMs, endMs, from, to }: LoadSegment, byMs: number): LoadSegment {
  return { startMs: startMs + byMs, endMs: endMs + byMs, from, to };
}

/** Before a turn: a pause, then the load with which the turn begins. */
function settling(
  piece: Pick<StagePlan, 'name' | 'segments'>,
  settleMs: number,
): Pick<StagePlan, 'name' | 'measured' | 'durationMs' | 'segments'> {
  const level = piece.segments[0]?.from ?? 0;
  const durationMs = PAUSE_MS + settleMs;
  return {
    name: settlingName(piece.name),
    measured: false,
    durationMs,
    segments: [
      { startMs: 0, endMs: PAUSE_MS, from: 0, to: 0 },
      { startMs: PAUSE_MS, endMs: durationMs, from: level, to: level },
    ],
  };
}

function settlingName(stage: string): string {
  return `${stage} (settling)`;
}
