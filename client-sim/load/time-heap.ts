/** A plain min-heap of times of fixed capacity, for things without identity: the think times of a client's loops. */
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
    let index = this._size++;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const other = times[parent] ?? 0;
      if (other <= time) break;
      times[index] = other;
      index = parent;
    }
    times[index] = time;
  }

  /** Removes and returns the earliest. Precondition: not empty. */
  pop(): number {
    const times = this.times;
    const first = times[0] ?? Infinity;
    const last = times[--this._size] ?? 0;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this._size) break;
      if (child + 1 < this._size && (times[child + 1] ?? 0) < (times[child] ?? 0)) child++;
      const other = times[child] ?? 0;
      if (other >= last) break;
      times[index] = other;
      index = child;
    }
    times[index] = last;
    return first;
  }

  clear(): void {
    this._size = 0;
  }
}
