import type { Projection } from './define-projection.js';
import { type Build, historyName, quoted, tableName, VALID_FROM, VALID_TO } from './sql-names.js';

/**
 * K2: the rows of a build as they were once the event at a position had been folded, as SQL to read from: those of the table that have
 * not changed since, and the versions that have ended since.
 * @throws Error for a projection without history
 */
export function rowsAsOf(
  { name, columns, history }: Pick<Projection, 'name' | 'columns' | 'history'>,
  build: Build,
  position: bigint,
): string {
  if (!history) throw new Error(`${name} keeps no history: it can't be read as of the past`);
  const fields = ['business_id', ...Object.keys(columns).map(quoted)].join(', ');
  const begun = `${VALID_FROM} <= ${BigInt(position)}`; // in the text: where a query's values count from is the query's own
  return `(SELECT ${fields} FROM ${tableName(build)} WHERE ${begun}
    UNION ALL SELECT ${fields} FROM ${historyName(build)} WHERE ${begun} AND ${VALID_TO} > ${BigInt(position)})`;
}
