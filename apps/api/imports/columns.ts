import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import type { RequestError } from '../http/problems.js';
import type { CsvRow } from './csv-file.js';

/** The columns of a file, besides those of what remains. Their names are written in any case. */
export const KNOWN = [
  ...['reference', 'offering', 'client', 'clientName', 'clientEmail', 'remaining'],
  ...['soldOn', 'expiresOn', 'amountPaid', 'currency'],
] as const;
const NEEDED = ['reference', 'offering', 'client', 'soldOn'] as const;

/** `remaining:Massage`: what remains of one service, by its id, reference or name. */
const OF_SERVICE = 'remaining:';
const MAX_COLUMNS = 250;

export interface Columns {
  line: number;
  count: number;
  at: ReadonlyMap<string, number>; // by name as in KNOWN
  remaining: readonly { at: number; header: string; service: string }[];
}

/** @throws InvalidInput naming every column that is missing, unknown or there twice */
export const columnsOf = ({ line, cells }: CsvRow): Columns => {
  const errors: RequestError[] = [];
  const say = (column: string, code: string, message: string) =>
    errors.push({ field: `/${column.replaceAll('~', '~0').replaceAll('/', '~1')}`, line, code, message });
  const at = new Map<string, number>();
  const remaining: { at: number; header: string; service: string }[] = [];
  const seen = new Set<string>();

  if (cells.length > MAX_COLUMNS) throw new InvalidInput([{ field: '', code: 'TOO_MANY', message: `At most ${MAX_COLUMNS} columns.` }]);
  cells.forEach((header, n) => {
    const name = KNOWN.find((known) => known.toLowerCase() === header.toLowerCase());
    const service = header.toLowerCase().startsWith(OF_SERVICE) ? header.slice(OF_SERVICE.length).trim() : '';
    const shown = header.slice(0, 100);
    if (seen.has(header.toLowerCase())) say(shown, 'REPEATED', `There are two columns ${shown}.`);
    else if (name) at.set(name, n);
    else if (service) remaining.push({ at: n, header: shown, service });
    else say(shown, 'UNKNOWN_COLUMN', `Column ${n + 1} is none of ${KNOWN.join(', ')}, ${OF_SERVICE}<service>.`);
    seen.add(header.toLowerCase());
  });
  for (const name of NEEDED) if (!at.has(name)) say(name, 'REQUIRED', `The column ${name} is missing.`);
  if (!at.has('remaining') && remaining.length === 0)
    say('remaining', 'REQUIRED', `What remains is missing: the column remaining, or ${OF_SERVICE}<service> for each service.`);
  if (errors.length > 0) throw new InvalidInput(errors);
  return { line, count: cells.length, at, remaining };
};
