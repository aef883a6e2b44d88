import { FIRST_ID, type IdRange, LAST_ID, LOAD_IDS } from '../protocol/id-ranges.js';

/** Hands out ids, one after the other. */
export class RequestIds {
  private next: number;

  constructor(private readonly range: IdRange = LOAD_IDS) {
    this.next = range.first;
  }

  take(): number {
    const id = this.next;
    this.next = id === this.range.last ? this.range.first : id + 1;
    return id;
  }

  /** @returns the first of so many ids in a row */
  takeBlock(count: number): number {
    const { first, last } = this.range;
    const start = this.next + count - 1 > last ? first : this.next;
    this.next = start + count > last ? first : start + count;
    return start;
  }
}

const BLOCK = 64;
/** Blocks that are remembered: an answer that comes later than so many requests is not known any more. */
const REMEMBERED_BLOCKS = 256;

/** Ids of one connection, in blocks: most follow one another, and the connection knows its own. */
export class IdBlocks {
  private next = 0;
  private end = 0;
  /** First ids of its blocks, oldest first. */
  private readonly blocks: number[] = [];

  constructor(private readonly ids: RequestIds) {}

  take(): number {
    if (this.next === this.end) this.begin();
    return this.next++;
  }

  /** Whether this was one of its ids. */
  owns(id: number): boolean {
    return this.blocks.some(
      (first) => id >= first && id < first + BLOCK && (id < this.next || first + BLOCK !== this.end),
    );
  }

  private begin(): void {
    this.next = this.ids.takeBlock(BLOCK);
    this.end = this.next + BLOCK;
    this.blocks.push(this.next);
    if (this.blocks.length > REMEMBERED_BLOCKS) this.blocks.shift();
  }
}

/** Whether a request of any run of this program could have this id. */
export function isRunId(id: unknown): boolean {
  return typeof id === 'number' && Number.isInteger(id) && id >= FIRST_ID && id <= LAST_ID;
}
