/**
 * Who wakes next: an indexed binary heap over small dense ids. Setting, moving and removing one is O(log n) without
 * allocation, so 10,000 mostly idle clients cost nothing between their wakes.
 */
export class WakeHeap {
  private heap = new Int32Array(16);
  /** Place of an id in the heap, -1 when it sleeps. */
  private place = new Int32Array(16).fill(-1);
  private time = new Float64Array(16);
  private _size = 0;

  get size(): number {
    return this._size;
  }

  /** Time of the earliest, Infinity when empty. */
  get earliest(): number {
    return this._size === 0 ? Infinity : (this.time[this.heap[0] ?? 0] ?? Infinity);
  }

  /** Wakes `id` at `time`, replacing what was set for it before; Infinity lets it sleep. */
  set(id: number, time: number): void {
    if (id >= this.place.length) this.grow(id);
    const place = this.place[id] ?? -1;
    if (time === Infinity) {
      if (place >= 0) this.remove(place);
      return;
    }
    const before = this.time[id] ?? 0;
    this.time[id] = time;
    if (place < 0) {
      this.heap[this._size] = id;
      this.place[id] = this._size;
      this.up(this._size++);
    } else if (time < before) this.up(place);
    else this.down(place);
  }

  /** Takes the earliest id out. Precondition: not empty. */
  pop(): number {
    const id = this.heap[0] ?? 0;
    this.remove(0);
    return id;
  }

  private remove(place: number): void {
    const id = this.heap[place] ?? 0;
    this.place[id] = -1;
    const last = this.heap[--this._size] ?? 0;
    if (place === this._size) return;
    this.heap[place] = last;
    this.place[last] = place;
    this.up(place);
    this.down(this.place[last] ?? 0);
  }

  private up(start: number): void {
    const heap = this.heap;
    const time = this.time;
    const id = heap[start] ?? 0;
    const key = time[id] ?? 0;
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const other = heap[parent] ?? 0;
      if ((time[other] ?? 0) <= key) break;
      heap[place] = other;
      this.place[other] = place;
      place = parent;
    }
    heap[place] = id;
    this.place[id] = place;
  }

  private down(start: number): void {
    const heap = this.heap;
    const time = this.time;
    const id = heap[start] ?? 0;
    const key = time[id] ?? 0;
    let place = start;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this._size) break;
      const right = child + 1;
      if (right < this._size && (time[heap[right] ?? 0] ?? 0) < (time[heap[child] ?? 0] ?? 0)) child = right;
      const other = heap[child] ?? 0;
      if ((time[other] ?? 0) >= key) break;
      heap[place] = other;
      this.place[other] = place;
      place = child;
    }
    heap[place] = id;
    this.place[id] = place;
  }

  private grow(id: number): void {
    const length = Math.max(id + 1, this.place.length * 2);
    const place = new Int32Array(length).fill(-1);
    place.set(this.place);
    const time = new Float64Array(length);
    time.set(this.time);
    const heap = new Int32Array(length);
    heap.set(this.heap);
    this.place = place;
    this.time = time;
    this.heap = heap;
  }
}
