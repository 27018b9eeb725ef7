import type { Pool } from 'pg';
import type { Recorded } from '../domain/kernel/event.js';
import { FIRST_VALUE } from './checkpoint.js';
import { type Consumer, PoisonEvent } from './consumer.js';
import type { Key, Projection, Step } from './define-projection.js';
import { conditionOf, foldEvent, keyOfRow, keyText } from './fold.js';
import { KeptRows } from './kept-rows.js';
import { isScrubbed } from './scrub.js';
import { type BusinessAnd, type Table, tableOf } from './table.js';
import { VersionedSet, WorkingSet } from './working-set.js';

export interface ConsumerOptions {
  build?: number;
  /** Copies what is new: for a build that nobody reads yet. */
  inBulk?: boolean;
  /** How many rows are kept, and from how many events at once on. */
  keeping?: { rows: number; events: number };
}

const KEPT = 65_536; // rows of all that are fed from one read; some 1.5 kB each
const MANY = 250; // events at once: it is far behind, and comes by the same rows again and again

/** What each of so many may keep. */
export const keptByEach = (consumers: number): Required<ConsumerOptions>['keeping'] => ({
  rows: Math.floor(KEPT / consumers),
  events: MANY,
});

/** A projection as a consumer: loads the rows that a batch touches, one query per way of finding them, and folds in memory. */
export function consumerOf(projection: Projection, pool: Pool, options: ConsumerOptions = {}): Consumer {
  const { build = 0, inBulk = false, keeping = keptByEach(1) } = options;
  const table = tableOf(projection, build);
  const concerns = (type: string) => projection.on.has(type);
  const keepsRows = looksRowsUp(projection) && !isScrubbed(projection); // what is scrubbed changes by another hand too
  const kept = new KeptRows(keeping.rows);
  let before: WorkingSet | undefined;

  return {
    name: projection.name,
    version: projection.version,
    linger: 0,
    concerns,
    fold: async (events) => {
      const concerned = events.filter(({ type }) => concerns(type));
      const earlier = before;
      const rows = await load(projection, table, pool, concerned, { before: earlier, kept });
      for (const event of concerned) {
        rows.reach(event.position);
        orPoison(event, () => foldEvent(projection, event, rows));
      }
      const isNew = (business: string, key: string) => !rows.isKnown(business, key) && !earlier?.hasPut(business, key);
      const write = inBulk ? table.writeInBulk(FIRST_VALUE, rows.changes(), isNew) : table.write(FIRST_VALUE, rows.changes());
      if (keepsRows && events.length >= keeping.events) rows.eachKnown((business, key, row) => kept.keep(business, key, row));
      else kept.clear();
      rows.settle();
      before = rows;
      return write;
    },
    reset: () => {
      before = undefined;
      kept.clear();
    },
  };
}

const looksRowsUp = ({ on }: Projection): boolean =>
  [...on.values()].flat().some(({ does: { verb } }) => verb === 'update' || verb === 'upsert' || verb === 'updateEach');

async function load(
  projection: Projection,
  table: Table,
  pool: Pool,
  events: readonly Recorded[],
  { before, kept }: { before: WorkingSet | undefined; kept: KeptRows },
): Promise<WorkingSet> {
  const { keys, conditions } = touched(projection, events, before);
  const rows = new (projection.history ? VersionedSet : WorkingSet)(before, new Set(conditions.keys()), Object.keys(projection.columns));
  const loads = [...conditions].map(([column, values]) => table.loadWhere(pool, column, values));
  const unknown = keys.filter((key) => !kept.get(key));
  if (unknown.length) loads.push(table.load(pool, unknown));
  for (const key of keys) {
    const row = kept.get(key);
    if (row) rows.load(...key, row);
  }
  for (const loaded of await Promise.all(loads)) for (const [business, row] of loaded) rows.load(business, keyOfRow(projection, row), row);
  return rows;
}

/** Which rows the events look at, as far as the batch before does not say how they are. */
function touched(projection: Projection, events: readonly Recorded[], before: WorkingSet | undefined) {
  const keys = new Map<string, BusinessAnd<string>>();
  const conditions = new Map<string, Map<string, BusinessAnd<unknown>>>();
  for (const event of events) {
    const { business } = event.metadata;
    for (const { does } of projection.on.get(event.type)!) {
      if (does.verb === 'update' || does.verb === 'upsert' || does.verb === 'updateEach') {
        for (const key of orPoison(event, () => keysOf(does, event)).map(keyText))
          if (!before?.hides(business, key)) keys.set(`${business}\0${key}`, [business, key]);
      } else if (does.verb === 'updateMany' || does.verb === 'removeMany' || does.verb === 'scrub') {
        const where = orPoison(event, () => does.where(event));
        if (!where) continue;
        const [column, value] = orPoison(event, () => conditionOf(projection, where));
        const values = conditions.get(column) ?? new Map<string, BusinessAnd<unknown>>();
        conditions.set(column, values.set(`${business}\0${String(value)}`, [business, value]));
      }
    }
  }
  return { keys: [...keys.values()], conditions: new Map([...conditions].map(([column, values]) => [column, [...values.values()]])) };
}

function keysOf(does: Extract<Step['does'], { verb: 'update' | 'upsert' | 'updateEach' }>, event: Recorded): Key[] {
  if (does.verb === 'updateEach') return does.items(event).map(({ key }) => key);
  const key = does.key(event) ?? undefined;
  return key === undefined ? [] : [key];
}

function orPoison<T>(event: Recorded, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new PoisonEvent(event, error);
  }
}
