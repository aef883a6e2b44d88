/**
 * Finds the id that wakes next: an indexed binary heap over small dense ids. Setting, moving and removing one is
 * O(log n) without allocation, so 10,000 mostly idle clients cost nothing between their wakes.
 */
export class WakeHeap {
  private heap = new Int32Array(16);
  /** Index of an id in the heap; -1 when it is not in it. */
  private index = new Int32Array(16).fill(-1);
  private time = new Float64Array(16);
  private _size = 0;

  get size(): number {
    return this._size;
  }

  /** Infinity when empty. */
  get earliest(): number {
    return this._size === 0 ? Infinity : (this.time[this.heap[0] ?? 0] ?? Infinity);
  }

  /** Sets the wake time of `id`, in place of an earlier one; Infinity removes it. */
  set(id: number, time: number): void {
    if (id >= this.index.length) this.grow(id);
    const index = this.index[id] ?? -1;
    if (time === Infinity) {
      if (index >= 0) this.remove(index);
      return;
    }
    const before = this.time[id] ?? 0;
    this.time[id] = time;
    if (index < 0) {
      this.heap[this._size] = id;
      this.index[id] = this._size;
      this.up(this._size++);
    } else if (time < before) this.up(index);
    else this.down(index);
  }

  /** Removes and returns the id that wakes first. Precondition: not empty. */
  pop(): number {
    const id = this.heap[0] ?? 0;
    this.remove(0);
    return id;
  }

  private remove(index: number): void {
    const id = this.heap[index] ?? 0;
    this.index[id] = -1;
    const last = this.heap[--this._size] ?? 0;
    if (index === this._size) return;
    this.heap[index] = last;
    this.index[last] = index;
    this.up(index);
    this.down(this.index[last] ?? 0);
  }

  private up(start: number): void {
    const heap = this.heap;
    const time = this.time;
    const id = heap[start] ?? 0;
    const key = time[id] ?? 0;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const other = heap[parent] ?? 0;
      if ((time[other] ?? 0) <= key) break;
      heap[index] = other;
      this.index[other] = index;
      index = parent;
    }
    heap[index] = id;
    this.index[id] = index;
  }

  private down(start: number): void {
    const heap = this.heap;
    const time = this.time;
    const id = heap[start] ?? 0;
    const key = time[id] ?? 0;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this._size) break;
      const right = child + 1;
      if (right < this._size && (time[heap[right] ?? 0] ?? 0) < (time[heap[child] ?? 0] ?? 0)) child = right;
      const other = heap[child] ?? 0;
      if ((time[other] ?? 0) >= key) break;
      heap[index] = other;
      this.index[other] = index;
      index = child;
    }
    heap[index] = id;
    this.index[id] = index;
  }

  private grow(id: number): void {
    const length = Math.max(id + 1, this.index.length * 2);
    const index = new Int32Array(length).fill(-1);
    index.set(this.index);
    const time = new Float64Array(length);
    time.set(this.time);
    const heap = new Int32Array(length);
    heap.set(this.heap);
    this.index = index;
    this.time = time;
    this.heap = heap;
  }
}
