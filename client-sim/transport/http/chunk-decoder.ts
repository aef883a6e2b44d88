/** The chunked transfer coding (RFC 9112, 7.1), resumable at any byte. */

type ChunkStep = 'data' | 'end' | 'more' | 'malformed';

type State =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer-start'
  | 'trailer'
  | 'trailer-lf'
  | 'last-lf';

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

export class ChunkDecoder {
  /** Where reading continues; the caller sets it before `next` and reads it afterwards. */
  at = 0;
  /** After 'data': the bytes of the body. */
  dataStart = 0;
  dataEnd = 0;
  private state: State = 'size';
  private remaining = 0;
  private sizeDigits = 0;
  /** Bytes of extensions and trailers so far; bounded, because a server could send them endlessly. */
  private overhead = 0;

  constructor(private readonly maxOverheadBytes: number) {}

  reset(): void {
    this.state = 'size';
    this.remaining = 0;
    this.sizeDigits = 0;
    this.overhead = 0;
  }

  next(bytes: Buffer, end: number): ChunkStep {
    while (this.at < end) {
      if (this.state === 'data') {
        const length = Math.min(this.remaining, end - this.at);
        this.dataStart = this.at;
        this.at = this.dataEnd = this.at + length;
        this.remaining -= length;
        if (this.remaining === 0) this.state = 'data-cr';
        return 'data';
      }
      const step = this.frame(bytes[this.at++] as number);
      if (step !== 'more') return step;
    }
    return 'more';
  }

  /** Reads one byte of the framing between the data. */
  private frame(byte: number): ChunkStep {
    switch (this.state) {
      case 'size':
        return this.size(byte);
      case 'extension':
        if (byte === CR) this.state = 'size-lf';
        else if (byte === LF || ++this.overhead > this.maxOverheadBytes) return 'malformed';
        return 'more';
      case 'size-lf':
        if (byte !== LF) return 'malformed';
        this.state = this.remaining === 0 ? 'trailer-start' : 'data';
        this.sizeDigits = 0;
        return 'more';
      case 'data':
      case 'data-cr':
        this.state = 'data-lf';
        return byte === CR ? 'more' : 'malformed';
      case 'data-lf':
        this.state = 'size';
        return byte === LF ? 'more' : 'malformed';
      case 'trailer-start':
        if (byte === LF) return 'malformed';
        this.state = byte === CR ? 'last-lf' : 'trailer';
        return 'more';
      case 'trailer':
        if (byte === CR) this.state = 'trailer-lf';
        else if (byte === LF || ++this.overhead > this.maxOverheadBytes) return 'malformed';
        return 'more';
      case 'trailer-lf':
        this.state = 'trailer-start';
        return byte === LF ? 'more' : 'malformed';
      case 'last-lf':
        return byte === LF ? 'end' : 'malformed';
    }
  }

  private size(byte: number): ChunkStep {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      // 13 hex digits are 52 bits: still exact, and more than any body may have.
      if (++this.sizeDigits > 13) return 'malformed';
      this.remaining = this.remaining * 16 + digit;
      return 'more';
    }
    if (this.sizeDigits === 0) return 'malformed';
    if (byte === CR) this.state = 'size-lf';
    else if (byte === SEMICOLON || byte === 0x20 || byte === 0x09) this.state = 'extension';
    else return 'malformed';
    return 'more';
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
