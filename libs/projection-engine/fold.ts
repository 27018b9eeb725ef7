import type { AnyEvent, Recorded } from '../domain/kernel/event.js';
import type { AnyRow, Key, Projection, Step, Where } from './define-projection.js';

/** The rows that a fold works on, by business and key. */
export interface Rows<Row> {
  get(business: string, key: string): Row | undefined;
  set(business: string, key: string, row: Row): void;
  delete(business: string, key: string): void;
  /** The keys of all rows of the business with this value in this column. */
  find(business: string, column: string, value: unknown): string[];
}

/** One text for a key, however many columns it has. Postgres texts hold no NUL, so no two keys share one. */
export const keyText = (key: Key): string => (typeof key === 'object' ? key.join('\0') : String(key));

export const keyOfRow = ({ key }: Projection, row: AnyRow): string =>
  key.length === 1 ? String(row[key[0]!]) : key.map((column) => row[column]).join('\0');

/**
 * What one event does to the rows.
 * @throws Error when the row to update is not there or a key changes: the event is poison to this projection
 */
export const foldEvent = (projection: Projection, event: Recorded, rows: Rows<AnyRow>): void => {
  for (const step of projection.on.get(event.type) ?? []) foldStep(projection, step, event, rows);
};

/** Which column and value a `where` names. */
export const conditionOf = (projection: Projection, where: Where): [column: string, value: unknown] => {
  const { name } = projection;
  const conditions = Object.entries(where);
  const [column, value] = conditions[0] ?? [];
  if (conditions.length !== 1 || !isFoundBy(projection, column!)) throw new Error(`${name}: rows are found by one indexed column`);
  if (value === undefined || value === null) throw new Error(`${name}: rows are found by a value in ${column}`);
  return [column!, value];
};

/** Whether an index, or the key, begins with the column. */
const isFoundBy = ({ key, columns, indexes }: Projection, column: string): boolean =>
  columns[column]?.isIndexed === true || [key, ...indexes].some(([first]) => first === column);

function foldStep(projection: Projection, { does }: Step, event: Recorded, rows: Rows<AnyRow>): void {
  const { business } = event.metadata;
  switch (does.verb) {
    case 'insert':
      return [does.rows(event)].flat().forEach((row) => rows.set(business, keyOfRow(projection, row), row));
    case 'update':
    case 'upsert': {
      const key = does.key(event) ?? undefined;
      if (key === undefined) return;
      const row = rows.get(business, keyText(key));
      if (does.verb === 'upsert') return put(projection, keyText(key), does.change(row, event), business, rows);
      return put(projection, keyText(key), does.change(present(projection, event, key, row), event), business, rows);
    }
    case 'updateEach':
      for (const item of does.items(event)) {
        const key = keyText(item.key);
        const row = present(projection, event, item.key, rows.get(business, key));
        const changed = does.change(row, item);
        if (changed !== row) put(projection, key, changed, business, rows);
      }
      return;
    case 'remove': {
      const key = does.key(event) ?? undefined;
      return key === undefined ? undefined : rows.delete(business, keyText(key));
    }
    case 'updateMany':
    case 'scrub':
    case 'removeMany': {
      const where = does.where(event);
      for (const key of where ? rows.find(business, ...conditionOf(projection, where)) : [])
        if (does.verb === 'removeMany') rows.delete(business, key);
        else put(projection, key, does.change(rows.get(business, key)!, event), business, rows);
      return;
    }
    default:
      return does satisfies never;
  }
}

function present({ name }: Projection, { type }: Recorded, key: Key, row: AnyRow | undefined): AnyRow {
  if (!row) throw new Error(`${name}: ${type} for a row that is not there: ${keyText(key)}`);
  return row;
}

function put(projection: Projection, key: string, row: AnyRow, business: string, rows: Rows<AnyRow>): void {
  if (keyOfRow(projection, row) !== key)
    throw new Error(`${projection.name}: the row ${key} became ${keyOfRow(projection, row)}: keys stay`);
  rows.set(business, key, row);
}

/**
 * The fold itself, for specs: the rows of one business by key (the parts of a key over several columns joined with NUL).
 * The engine runs the same over a batch.
 */
export const fold = <Row extends AnyRow, Event extends AnyEvent>(
  projection: Projection<Row>,
  rows: Map<string, NoInfer<Row>>,
  events: readonly Recorded<Event>[],
): Map<string, Row> => {
  const table = projection as Projection;
  const inMap: Rows<Row> = {
    get: (_, key) => rows.get(key),
    set: (_, key, row) => rows.set(key, onlyColumns(table, row)),
    delete: (_, key) => rows.delete(key),
    find: (_, column, value) => [...rows].filter(([, row]) => row[column] === value).map(([key]) => key),
  };
  for (const event of events) foldEvent(table, event, inMap);
  return rows;
};

/** The compiler lets a misspelt column through a spread; a spec doesn't. */
function onlyColumns<Row extends AnyRow>({ name, columns }: Projection, row: Row): Row {
  const unknown = Object.keys(row).find((column) => !columns[column]);
  if (unknown) throw new Error(`${name}: there is no column ${unknown}`);
  const missing = Object.keys(columns).find((column) => row[column] === undefined);
  if (missing) throw new Error(`${name}: a row without ${missing}`);
  return row;
}
