import type { Telemetry } from '../../client-sim/protocol/telemetry.js';
import type { OperationCounts, WorkerBook, WorkerStage } from './contract.js';
import { addOperations, noOperations } from './counts.js';
import type { WritableHealthBook } from './health-book.js';
import { noteHealth, openHealthBook } from './health-book.js';
import { SequenceSet } from './sequence-set.js';

interface OpenStage extends WorkerStage {
  readonly counts: OperationCounts;
  readonly health: WritableHealthBook;
}
interface OpenBook extends WorkerBook {
  readonly byStage: Map<number, OpenStage>;
  final: Telemetry['final'];
  lastMs: number;
}

export class WorkerBooks {
  private readonly books = new Map<string, OpenBook>();

  add(workerId: string, batch: Telemetry): void {
    const book = this.book(workerId);
    book.sequences.add(batch.sequence);
    book.lastMs = Math.max(book.lastMs, batch.toMs);
    book.final = batch.final ?? book.final;
    for (const series of batch.series) {
      const stage = stageOf(book, series.stage);
      addOperations(stage.counts, series);
      stage.errors += Object.values(series.errors).reduce((sum, count) => sum + count, 0);
    }
    const current = stageOf(book, batch.stage);
    current.fromMs = Math.min(current.fromMs ?? batch.fromMs, batch.fromMs);
    current.toMs = Math.max(current.toMs ?? batch.toMs, batch.toMs);
    current.clientMs += batch.gauges.clients * (batch.toMs - batch.fromMs);
    if (batch.health !== undefined) noteHealth(current.health, batch.health);
  }

  view(): ReadonlyMap<string, WorkerBook> {
    return this.books;
  }

  private book(workerId: string): OpenBook {
    const known = this.books.get(workerId);
    if (known !== undefined) return known;
    const book: OpenBook = { byStage: new Map(), sequences: new SequenceSet(), final: undefined, lastMs: 0 };
    this.books.set(workerId, book);
    return book;
  }
}

function stageOf(book: OpenBook, index: number): OpenStage {
  const known = book.byStage.get(index);
  if (known !== undefined) return known;
  const stage: OpenStage = {
    counts: noOperations(),
    errors: 0,
    fromMs: undefined,
    toMs: undefined,
    clientMs: 0,
    health: openHealthBook(),
  };
  book.byStage.set(index, stage);
  return stage;
}
