/** How UUIDs are written: as text, or as two 64-bit halves. */
export type UuidForm = 'string' | 'structured';

/**
 * Writes a protobuf message from its end to its start, so that the length of a nested message is known when its
 * header is written. The generated classes do the same at several times the cost; this is used where every event
 * passes through.
 */
export class ProtoWriter {
  private buffer = Buffer.allocUnsafe(64 * 1024);
  private start = this.buffer.length;

  /** The message written since the last call, as a buffer of its own. */
  finish(): Buffer {
    const message = Buffer.from(this.buffer.subarray(this.start));
    this.start = this.buffer.length;
    return message;
  }

  /** Where the message stands: to be given to `nested` once its fields are written. */
  get mark(): number {
    return this.buffer.length - this.start;
  }

  /** Makes a field of everything written since the mark. */
  nested(field: number, mark: number): void {
    this.varint(this.mark - mark);
    this.tag(field, 2);
  }

  bytes(field: number, value: Uint8Array): void {
    this.reserve(value.length);
    this.start -= value.length;
    this.buffer.set(value, this.start);
    this.varint(value.length);
    this.tag(field, 2);
  }

  string(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.reserve(length);
    this.start -= length;
    this.buffer.write(value, this.start);
    this.varint(length);
    this.tag(field, 2);
  }

  uint64(field: number, value: bigint): void {
    this.bigVarint(value);
    this.tag(field, 0);
  }

  /** `event_store.client.UUID` of shared.proto. */
  uuid(field: number, id: string, form: UuidForm): void {
    const mark = this.mark;
    if (form === 'string') this.string(2, id);
    else {
      const digits = id.replaceAll('-', '');
      this.uint64(2, BigInt(`0x${digits.slice(16)}`));
      this.uint64(1, BigInt(`0x${digits.slice(0, 16)}`));
      this.nested(1, mark);
    }
    this.nested(field, mark);
  }

  private tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  private bigVarint(value: bigint): void {
    if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) return this.varint(Number(value));
    const groups: number[] = [];
    for (let rest = BigInt.asUintN(64, value); rest > 0n; rest >>= 7n) groups.push(Number(rest & 0x7fn));
    this.reserve(groups.length);
    this.start -= groups.length;
    groups.forEach((group, index) => (this.buffer[this.start + index] = index < groups.length - 1 ? group | 0x80 : group));
  }

  private varint(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
    this.reserve(length);
    this.start -= length;
    let rest = value;
    for (let at = this.start; at < this.start + length - 1; at += 1) {
      this.buffer[at] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.start + length - 1] = rest;
  }

  private reserve(length: number): void {
    if (length <= this.start) return;
    const used = this.mark;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, used + length));
    this.buffer.copy(larger, larger.length - used, this.start);
    this.buffer = larger;
    this.start = larger.length - used;
  }
}
