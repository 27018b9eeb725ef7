const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const FIXED_32 = 5;

/** A field and how it is written in one number, as it stands before the field. */
export const tagOf = (field: number, written: 'number' | 'delimited'): number => (field << 3) | (written === 'number' ? VARINT : DELIMITED);

const SAFE_GROUPS = 7; // of seven bits each: what a number holds exactly

/** Reads the fields of a protobuf message where they stand, without an object for each. Throws a RangeError where it ends within a field. */
export class ProtoReader {
  private at = 0;

  constructor(private readonly message: Buffer) {}

  isBefore(end: number): boolean {
    return this.at < end;
  }

  tag(): number {
    return this.length();
  }

  /** Where the message, text or bytes that begin here end. */
  end(): number {
    const length = this.length();
    return this.within(this.at + length);
  }

  text(): string {
    const end = this.end();
    const text = this.message.toString('utf8', this.at, end);
    this.at = end;
    return text;
  }

  /** Where they stand in the message: not a copy. */
  bytes(): Buffer {
    const end = this.end();
    const bytes = this.message.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  uint64(): bigint {
    const from = this.at;
    let value = 0;
    for (let group = 0, factor = 1; group < SAFE_GROUPS; group += 1, factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return BigInt(value);
    }
    this.at = from;
    let large = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      large |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, large);
    }
  }

  skip(tag: number): void {
    const written = tag & 7;
    if (written === VARINT) this.uint64();
    else if (written === DELIMITED) this.at = this.end();
    else if (written === FIXED_64) this.at = this.within(this.at + 8);
    else if (written === FIXED_32) this.at = this.within(this.at + 4);
    else throw new RangeError(`A field of a message is written as ${written}, which is unknown.`);
  }

  private length(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  private byte(): number {
    const byte = this.message[this.at];
    this.at = this.within(this.at + 1);
    return byte!;
  }

  private within(end: number): number {
    if (end > this.message.length) throw new RangeError('A message ends within a field.');
    return end;
  }
}
