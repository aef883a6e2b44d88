/**
 * The measured time of a run in a few dozen parts with a histogram each. One run alone tells from them how much its own
 * figures vary, and a comparison needs nothing else of a run.
 */
import type { Plan, StagePlan } from '../../../scenarios/schema/plan.js';
import { countByUs } from '../facts/target-errors.js';
import { HdrCounts } from './hdr-counts.js';
import type { SelectedCells } from './series-store.js';

/** A part of a measured stage: whole seconds, so that a batch belongs to one of them. */
export interface Block {
  readonly stage: StagePlan;
  /** Run time. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly cells: readonly BlockCell[];
  /** Handshakes of all profiles. */
  readonly connect: HdrCounts;
}

/** What the operations did that were due in the stage and ended in the block. */
export interface BlockCell {
  readonly profile: string;
  /** Undefined for the operations of the profile that are not kept apart. */
  readonly operation: string | undefined;
  readonly offered: number;
  readonly sent: number;
  readonly succeeded: number;
  /** By the target; without those that we caused. */
  readonly failed: number;
  readonly latency: HdrCounts;
  readonly service: HdrCounts;
  /** The latency without the generator's own share; the latency itself where that is not known. */
  readonly latencyFloor: HdrCounts;
}

/** About so many parts, none shorter than a second: more would not be independent, fewer would say too little. */
const BLOCKS = 30;
/** A plan may have thousands of operations; the first of them are kept apart, the others of a profile together. */
const MOST_APART = 12;

type OpenCell = { -readonly [Key in keyof BlockCell]: BlockCell[Key] };
interface OpenBlock extends Omit<Block, 'cells'> {
  readonly cells: Map<string, OpenCell>;
}

export class BlockStore {
  private readonly blocks: readonly OpenBlock[];
  /** The first block of each stage, and the length of its blocks. */
  private readonly stages = new Map<number, { readonly first: number; readonly count: number; readonly ms: number }>();
  private readonly apart: ReadonlySet<string>;
  /** Blocks that were added to since they were packed. */
  private readonly unpacked = new Set<OpenBlock>();

  constructor(plan: Pick<Plan, 'stages' | 'profiles'>) {
    const measured = plan.stages.filter((stage) => stage.measured);
    const seconds = measured.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
    const ms = Math.max(1, Math.ceil(seconds / BLOCKS)) * 1000;
    const blocks: OpenBlock[] = [];
    for (const stage of measured) {
      const count = Math.max(1, Math.floor(stage.durationMs / ms));
      this.stages.set(stage.index, { first: blocks.length, count, ms });
      for (let at = 0; at < count; at += 1)
        blocks.push({
          stage,
          fromMs: stage.startMs + at * ms,
          toMs: at === count - 1 ? stage.startMs + stage.durationMs : stage.startMs + (at + 1) * ms,
          cells: new Map(),
          connect: new HdrCounts(),
        });
    }
    this.blocks = blocks;
    const operations = plan.profiles.flatMap(({ name, operations: all }) => all.map((one) => keyOf(name, one.name)));
    this.apart = new Set(operations.slice(0, MOST_APART));
  }

  /** @param cells of batches that all end at `toMs`, or within the same part */
  add({ operations, sessions }: Pick<SelectedCells, 'operations' | 'sessions'>, toMs: number): void {
    for (const { stage, profile, operation: name, counts, errors, histograms, withoutFloor } of operations) {
      const block = this.blockOf(stage, toMs);
      if (block === undefined) continue;
      const operation = this.apart.has(keyOf(profile, name)) ? name : undefined;
      const cell = cellOf(block, profile, operation);
      this.unpacked.add(block);
      cell.offered += counts.offered;
      cell.sent += counts.sent;
      cell.succeeded += counts.succeeded;
      cell.failed += counts.failed + counts.lost - countByUs(errors);
      const { latency, service, latencyFloor } = histograms;
      cell.latency.addAll(latency);
      cell.service.addAll(service);
      // Where the generator's own share is not known, all of the latency is the target's.
      cell.latencyFloor.addAll(latencyFloor).addAll(withoutFloor);
    }
    for (const { stage, connect } of sessions) this.blockOf(stage, toMs)?.connect.addAll(connect);
    for (const block of this.unpacked) if (block.toMs < toMs) this.pack(block);
  }

  private pack(block: OpenBlock): void {
    for (const { latency, service, latencyFloor } of block.cells.values())
      for (const counts of [latency, service, latencyFloor]) counts.pack();
    this.unpacked.delete(block);
  }

  /** The number of a part of the run: what ends in one part belongs to the same block of its stage. */
  partOf(toMs: number): number {
    let [low, high] = [0, this.blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.blocks[middle]?.toMs ?? 0) < toMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param lastMs run time up to which there is telemetry */
  view(lastMs: number): readonly Block[] {
    return this.blocks
      .filter(({ fromMs }) => fromMs < lastMs)
      .map(({ cells, toMs, ...block }) => ({
        ...block,
        toMs: Math.min(toMs, lastMs),
        cells: [...cells.values()].sort((a, b) =>
          keyOf(a.profile, a.operation) < keyOf(b.profile, b.operation) ? -1 : 1,
        ),
      }));
  }

  /** Operations that end after their stage belong to its last block. */
  private blockOf(stage: number, toMs: number): OpenBlock | undefined {
    const found = this.stages.get(stage);
    if (found === undefined) return undefined;
    const { first, count, ms } = found;
    const startMs = this.blocks[first]?.fromMs ?? 0;
    const at = Math.min(count - 1, Math.max(0, Math.ceil((toMs - startMs) / ms) - 1));
    return this.blocks[first + at];
  }
}

function keyOf(profile: string, operation: string | undefined): string {
  return JSON.stringify([profile, operation]);
}

function cellOf({ cells }: OpenBlock, profile: string, operation: string | undefined): OpenCell {
  const key = keyOf(profile, operation);
  const known = cells.get(key);
  if (known !== undefined) return known;
  const cell: OpenCell = {
    profile,
    operation,
    offered: 0,
    sent: 0,
    succeeded: 0,
    failed: 0,
    latency: new HdrCounts(),
    service: new HdrCounts(),
    latencyFloor: new HdrCounts(),
  };
  cells.set(key, cell);
  return cell;
}
