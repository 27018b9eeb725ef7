import { Transform, type TransformCallback } from 'node:stream';

const BOM = '\uFEFF';

/** The CSV of Postgres as RFC 4180 has it: a header, and lines that end in CRLF; what is within quotes stays as it is. */
export class CsvLines extends Transform {
  private head: string | undefined;
  private quoted = false;
  private made = 0; // bytes

  /** @param bom so that a spreadsheet takes it for UTF-8 */
  constructor(columns: readonly string[], bom: boolean) {
    super();
    this.head = `${bom ? BOM : ''}${columns.join(',')}\r\n`;
  }

  /** Bytes that its reader has taken. */
  get taken(): number {
    return this.made - this.readableLength;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.begin();
    this.give(Buffer.from(this.withLineEnds(chunk.toString('latin1')), 'latin1')); // bytes as letters: the fastest way to replace some
    done();
  }

  override _flush(done: TransformCallback): void {
    this.begin();
    done();
  }

  private begin(): void {
    if (this.head === undefined) return;
    this.give(Buffer.from(this.head));
    this.head = undefined;
  }

  private give(bytes: Buffer): void {
    this.made += bytes.length;
    this.push(bytes);
  }

  private withLineEnds(text: string): string {
    const parts = text.split('"');
    parts.forEach((part, n) => {
      if (!this.quoted) parts[n] = part.replaceAll('\n', '\r\n');
      if (n < parts.length - 1) this.quoted = !this.quoted;
    });
    return parts.join('"');
  }
}
