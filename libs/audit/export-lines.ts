import type { Seal } from '../domain/seal/seal.events.js';
import type { StoredEvent } from '../event-store/event-store.js';

// The lines of an export (docs/stored-forms.md): JSON objects with one field, which says what the line is.

export interface ExportHeader {
  version: 1;
  business: string;
  through: string; // position: all that happened up to here is in it
  at: string;
}

export interface ExportEnd {
  events: number;
  seals: number;
}

export type ExportLine = { export: ExportHeader } | { event: StoredEvent } | { seal: unknown } | { end: ExportEnd };

const lineOf = (line: object): string => `${JSON.stringify(line)}\n`;

export const headerLine = (header: ExportHeader): string => lineOf({ export: header });

/** The event as it is stored, encrypted fields and all. */
export const eventLine = ({ stream, revision, position, id, type, data, metadata }: StoredEvent): string =>
  lineOf({ event: { stream, revision: revision.toString(), position: position.toString(), id, type, data, metadata } });

export const sealLine = (seal: Seal): string => lineOf({ seal });
export const endLine = (end: ExportEnd): string => lineOf({ end });

/** Not a line of an export. */
export class BadLine extends Error {
  override name = 'BadLine';
}

/** @throws BadLine */
export function readLine(text: string): ExportLine {
  const line = parsed(text);
  if ('event' in line) return { event: eventOf(line.event) };
  if ('export' in line || 'seal' in line || 'end' in line) return line as unknown as ExportLine;
  throw new BadLine('It is no line of an export.');
}

function parsed(text: string): Record<string, unknown> {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'object' && line !== null) return line as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new BadLine('It is not a JSON object.');
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const NUMBER = /^(0|[1-9]\d{0,19})$/;

function eventOf(read: unknown): StoredEvent {
  if (!isObject(read)) throw new BadLine('Its event is no object.');
  const { stream, revision, position, id, type, data, metadata, ...more } = read;
  const texts = [stream, revision, position, id, type].every((text) => typeof text === 'string');
  if (!texts || !isObject(data) || !isObject(metadata) || Object.keys(more).length > 0)
    throw new BadLine('Its event is not as it is stored.');
  if (!NUMBER.test(revision as string) || !NUMBER.test(position as string)) throw new BadLine('A revision or position is no number.');
  return { ...read, revision: BigInt(revision as string), position: BigInt(position as string) } as unknown as StoredEvent;
}
