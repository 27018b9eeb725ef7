import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { StoredEvent } from '../event-store/event-store.js';
import { BadLine, type ExportEnd, type ExportHeader, readLine } from './export-lines.js';
import type { Fault } from './fault.js';
import type { HistorySource } from './verify.js';

const BATCH = 1_000; // events
const EVENT = '{"event":'; // how a line with an event begins

/** An export, as a file: read line by line, as often as it takes. */
export class ExportFile implements HistorySource {
  readonly businesses: readonly string[];
  private damage: string | undefined;

  private constructor(
    private readonly path: string,
    readonly header: ExportHeader,
  ) {
    this.businesses = [header.business];
  }

  /** @throws BadLine when it is no export */
  static async open(path: string): Promise<ExportFile> {
    for await (const text of linesOf(path)) {
      const line = readLine(text);
      if (!('export' in line) || typeof line.export?.business !== 'string') break;
      if (line.export.version !== 1) throw new BadLine(`${path} is an export of another version: a newer build reads it.`);
      return new ExportFile(path, line.export);
    }
    throw new BadLine(`${path} is no export: its first line would say so.`);
  }

  async *events(): AsyncGenerator<StoredEvent[]> {
    let batch: StoredEvent[] = [];
    const counted: ExportEnd = { events: 0, seals: 0 };
    let end: ExportEnd | undefined;
    for await (const [number, text] of numbered(linesOf(this.path))) {
      const line = this.read(number, text);
      if (line === undefined) continue;
      if (end) this.damaged(number, 'It comes after the end.');
      if ('end' in line) end = line.end;
      else if ('seal' in line) counted.seals += 1;
      else if ('event' in line) {
        if (counted.seals > 0) this.damaged(number, 'Events come before the seals.');
        counted.events += 1;
        batch.push(line.event);
      } else if (number > 1) this.damaged(number, 'There is one header.');
      if (batch.length === BATCH) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
    if (!end) this.damage ??= 'It ends before its end.';
    else if (end.events !== counted.events || end.seals !== counted.seals)
      this.damage ??= `It says that it has ${end.events} events and ${end.seals} seals, and has ${counted.events} and ${counted.seals}.`;
  }

  /** The one of the header, whatever the event says. */
  businessOf(): string {
    return this.header.business;
  }

  async *seals(business: string): AsyncGenerator<unknown> {
    if (business !== this.header.business) return;
    for await (const [number, text] of numbered(linesOf(this.path))) {
      if (text.startsWith(EVENT)) continue;
      const line = this.read(number, text);
      if (line && 'seal' in line) yield line.seal;
    }
  }

  /** What is wrong with the file itself, once its events were read. */
  get fault(): Fault | undefined {
    return this.damage === undefined ? undefined : { why: 'damaged', business: this.header.business, says: this.damage };
  }

  private read(number: number, text: string) {
    try {
      return readLine(text);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      return this.damaged(number, error.message);
    }
  }

  private damaged(line: number, says: string): undefined {
    this.damage ??= `Line ${line}: ${says}`;
  }
}

const linesOf = (path: string): AsyncIterable<string> => createInterface({ input: createReadStream(path), crlfDelay: Infinity });

async function* numbered(lines: AsyncIterable<string>): AsyncGenerator<[number, string]> {
  let number = 0;
  for await (const line of lines) yield [(number += 1), line];
}
