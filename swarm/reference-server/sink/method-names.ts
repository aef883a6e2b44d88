/** Method names as strings that are made once: most requests name the method of the request before. */
export class MethodNames {
  private lastBytes: Buffer = Buffer.alloc(0);
  private last = '';

  read(bytes: Buffer, start: number, end: number): string {
    const known = this.lastBytes;
    let same = known.length === end - start;
    for (let index = 0; same && index < known.length; index += 1) same = known[index] === bytes[start + index];
    if (!same) {
      this.lastBytes = Buffer.from(bytes.subarray(start, end));
      this.last = this.lastBytes.toString('latin1');
    }
    return this.last;
  }
}
