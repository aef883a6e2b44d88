/**
 * A plain min-heap of times, for things that need no identity (the think times of a client's loops). Fixed capacity.
 */
export class TimeHeap {
  private readonly times: Float64Array;
  private _size = 0;

  constructor(capacity: number) {
    this.times = new Float64Array(capacity);
  }

  get size(): number {
    return this._size;
  }

  /** Infinity when empty. */
  get earliest(): number {
    return this._size === 0 ? Infinity : (this.times[0] ?? Infinity);
  }

  countUpTo(time: number): number {
    let count = 0;
    for (let index = 0; index < this._size; index++) if ((this.times[index] ?? 0) <= time) count++;
    return count;
  }

  /** @throws RangeError above the capacity */
  push(time: number): void {
    if (this._size === this.times.length) throw new RangeError(`time heap of ${this._size} is full`);
    const times = this.times;
    let place = this._size++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const other = times[parent] ?? 0;
      if (other <= time) break;
      times[place] = other;
      place = parent;
    }
    times[place] = time;
  }

  /** Takes the earliest out. Precondition: not empty. */
  pop(): number {
    const times = this.times;
    const first = times[0] ?? Infinity;
    const last = times[--this._size] ?? 0;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this._size) break;
      if (child + 1 < this._size && (times[child + 1] ?? 0) < (times[child] ?? 0)) child++;
      const other = times[child] ?? 0;
      if (other >= last) break;
      times[place] = other;
      place = child;
    }
    times[place] = last;
    return first;
  }

  clear(): void {
    this._size = 0;
  }
}
