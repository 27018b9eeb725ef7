import { createHash, randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { HttpProblem, type RequestError } from '../http/problems.js';

export interface CsvRow {
  line: number; // its first in the file, from 1
  cells: string[];
}

const MAX_ROW = 64 * 1024; // characters
const PIECE = 64 * 1024; // bytes; the first line ends within the first

/**
 * A file that somebody sent, kept on disk and not in memory while it is worked on. It has no name any more from the start: whatever
 * becomes of this process, nothing of it stays.
 */
export class CsvFile {
  /** Of a file that is in use, whoever uses it closes it; else it goes with the request. */
  inUse = false;

  private constructor(
    private readonly file: FileHandle,
    readonly hash: string, // SHA-256 of what was sent, hex
  ) {}

  /** @throws HttpProblem when it is larger than `limit` bytes, or not UTF-8 */
  static async take(body: Readable, limit: number): Promise<CsvFile> {
    const path = join(tmpdir(), `punchcard-${randomUUID()}.csv`);
    const file = await open(path, 'wx+', 0o600);
    try {
      await unlink(path);
      return new CsvFile(file, await copied(body, file, limit));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Its rows, the one with the names of the columns first; empty lines are none. @throws InvalidInput with the line that is broken */
  async *rows(): AsyncGenerator<CsvRow> {
    const source = Readable.from(this.pieces()); // the stream of a file handle would close it
    const parser = parse({
      ...{ delimiter: await this.delimiter(), recordDelimiter: '\n', relaxColumnCount: true, skipEmptyLines: true },
      ...{ skipRecordsWithEmptyValues: true, maxRecordSize: MAX_ROW, info: true },
    });
    source.on('error', (error) => parser.destroy(error)).pipe(parser);
    try {
      for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>)
        yield { line: info.lines - linesWithin(record), cells: record.map((cell) => cell.trim()) };
    } catch (error) {
      throw error instanceof CsvError ? broken(error) : error;
    } finally {
      source.destroy();
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async *pieces(): AsyncGenerator<Buffer, undefined> {
    for (let position = 0; ;) {
      const { buffer, bytesRead } = await this.file.read(Buffer.alloc(PIECE), 0, PIECE, position);
      if (bytesRead === 0) return undefined;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  }

  /** A comma or, as spreadsheets write it where the comma is for decimals, a semicolon: whichever the first line has more of. */
  private async delimiter(): Promise<',' | ';'> {
    const { value: head } = await this.pieces().next();
    const [first = ''] = (head?.toString() ?? '').trimStart().split('\n');
    const names = first.replaceAll(/"[^"]*"/g, '');
    return names.split(';').length > names.split(',').length ? ';' : ',';
  }
}

/** Copies what comes as UTF-8 without a mark at its begin, lines ending alike. Gives the hash. */
async function copied(body: Readable, file: FileHandle, limit: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const hash = createHash('sha256');
  let bytes = 0;
  let held = ''; // a carriage return whose line feed may come with the next piece
  const write = async (text: string, last: boolean): Promise<void> => {
    const whole = held + text;
    held = !last && whole.endsWith('\r') ? '\r' : '';
    const said = whole.slice(0, whole.length - held.length).replaceAll(/\r\n?/g, '\n');
    if (said.includes('\0')) throw new HttpProblem(400, 'NOT_UNICODE', 'The file holds NUL: save it as CSV in UTF-8.');
    await file.write(said);
  };
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) throw new HttpProblem(413, 'BODY_TOO_LARGE', `The file is larger than ${limit} bytes: send it in parts.`);
    hash.update(chunk);
    await write(decoded(decoder, chunk), false);
  }
  await write(decoded(decoder), true);
  return hash.digest('hex');
}

const decoded = (decoder: InstanceType<typeof TextDecoder>, chunk?: Buffer): string => {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch {
    throw new HttpProblem(400, 'NOT_UTF8', 'The file is not encoded in UTF-8: save it as "CSV UTF-8".');
  }
};

const linesWithin = (cells: readonly string[]): number => cells.reduce((lines, cell) => lines + cell.split('\n').length - 1, 0);

const BROKEN: Record<string, string> = {
  CSV_MAX_RECORD_SIZE: `This row is longer than ${MAX_ROW} characters: is a quote missing that ends a cell?`,
  CSV_QUOTE_NOT_CLOSED: 'The quote that begins a cell here is never closed.',
};

/** From here on, what is a row can't be told. */
const broken = ({ code, lines }: CsvError & { lines?: number }): InvalidInput => {
  const message = BROKEN[code] ?? 'A quote stands where none can be: a cell with quotes is quoted whole, its own quotes doubled.';
  const error: RequestError = { field: '', ...(lines !== undefined && { line: lines }), code: 'BROKEN_CSV', message };
  return new InvalidInput([error]);
};
