/** Most bytes that one server, and all servers of one thread together, may add to the log of the worker. */
const BYTES_OF_SERVER = 65_536;
const BYTES_OF_THREAD = 4 * 1_048_576;

let threadBytesLeft = BYTES_OF_THREAD;

/** Copies what a started server writes to its standard error into the log of the worker, line by line. */
export class ServerLog {
  private held = '';
  private bytesLeft = BYTES_OF_SERVER;

  /** @param shown hides secrets */
  constructor(
    private readonly pid: number | undefined,
    private readonly shown: (text: string) => string,
    private readonly log: (line: string) => void,
  ) {}

  add(chunk: Buffer): void {
    if (this.bytesLeft <= 0 || threadBytesLeft <= 0) return;
    this.held += chunk.toString('utf8');
    const end = this.held.lastIndexOf('\n');
    // A line without an end is written once it is so long that nobody waits for the rest.
    if (end < 0 && this.held.length < BYTES_OF_SERVER) return;
    const lines = end < 0 ? this.held : this.held.slice(0, end);
    this.held = end < 0 ? '' : this.held.slice(end + 1);
    this.write(lines);
  }

  /** The server has ended. */
  end(): void {
    if (this.held !== '') this.write(this.held);
    this.held = '';
  }

  private write(lines: string): void {
    const prefix = `server ${this.pid ?? ''}: `;
    const text = this.shown(lines).slice(0, this.bytesLeft);
    this.bytesLeft -= text.length;
    threadBytesLeft -= text.length;
    for (const line of text.split('\n')) this.log(`${prefix}${line.trimEnd()}`);
    if (this.bytesLeft <= 0 || threadBytesLeft <= 0) this.log(`${prefix}(the rest is left out)`);
  }
}
