import canonicalize from 'canonicalize';
import type { Pool } from 'pg';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { verifyChain } from '../../libs/event-store/chain.js';
import type { EventStore, StoredEvent } from '../../libs/event-store/event-store.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import type { AnyRow, Projection } from '../../libs/projection-engine/define-projection.js';
import { fold } from '../../libs/projection-engine/fold.js';
import { openSources } from '../../libs/projection-engine/sources.js';
import { quoted } from '../../libs/projection-engine/sql-names.js';
import { fromText } from '../../libs/projection-engine/table.js';
import { TODO } from '../../libs/projection-engine/todo.js';

// Everything that was ever stored, read and folded again, to hold it against what the service says.

const MAX_SAID = 20;

/** All events of the store, in the order of `$all`. */
export async function wholeHistory({
  store,
  codec,
}: Pick<Parts, 'store' | 'codec'>): Promise<{ stored: StoredEvent[]; events: Recorded[] }> {
  const stored: StoredEvent[] = [];
  for await (const batch of store.readAll()) stored.push(...batch);
  return { stored, events: await codec.decode(stored) };
}

export const byStream = <Event extends { stream: string }>(events: readonly Event[]): Map<string, Event[]> =>
  groupBy(events, ({ stream }) => stream);

/** What does not hold in the streams' hash chains (K4): nothing, if nobody changed, lost or doubled an event. */
export const brokenChains = (stored: readonly StoredEvent[]): object[] =>
  [...byStream(stored).values()].flatMap((events) => verifyChain(events) ?? []);

/** K3: every row of every read model against a fold of all events afresh. Empty: they are equal. */
export async function readModelDifferences(pool: Pool, events: readonly Recorded[]): Promise<string[]> {
  const businesses = groupBy(events, ({ metadata }) => metadata.business);
  const differences: string[] = [];
  for (const projection of await allProjections()) {
    const table = await tableRows(pool, projection);
    const afresh = new Map<string, string>();
    for (const [business, own] of businesses)
      for (const [key, row] of fold(projection, new Map<string, AnyRow>(), own)) afresh.set(`${business} ${key}`, asText(projection, row));
    for (const key of new Set([...table.keys(), ...afresh.keys()]))
      if (table.get(key) !== afresh.get(key))
        differences.push(`${projection.name} ${key}:\n  ${table.get(key)}\n  afresh ${afresh.get(key)}`);
  }
  return differences.slice(0, MAX_SAID);
}

/** The projector holds all events that there are, nothing that follows from them is left to do, and every invoice has its number. */
export async function isUpToDate(
  pool: Pool,
  store: Pick<EventStore, 'lastPosition'>,
  policies: 'here' | 'elsewhere' = 'here',
): Promise<boolean> {
  const position = await store.lastPosition();
  const { rows } = await pool.query<{ behind: number; waiting: number }>(
    `SELECT (SELECT count(*)::int FROM (SELECT position FROM read_models.checkpoints
        UNION ALL SELECT position FROM policies.checkpoints WHERE $2 OR projection <> '${TODO}') c WHERE position IS NULL OR position < $1) AS behind,
      (SELECT count(*)::int FROM policies.todo WHERE parked IS NULL) AS waiting`,
    [position ?? -1n, policies === 'here'],
  );
  return rows[0]!.behind === 0 && rows[0]!.waiting === 0 && (await store.lastPosition()) === position; // numbers are events too
}

async function tableRows(pool: Pool, projection: Projection): Promise<Map<string, string>> {
  const fields = Object.entries(projection.columns);
  const rows = await openSources(pool, [projection]).read(projection, undefined, ({ from, condition }) => ({
    text: `SELECT business_id, ${fields.map(([field]) => quoted(field)).join(', ')} FROM ${from} WHERE ${condition}`,
    values: [],
  }));
  return new Map(
    rows.map(([business, ...values]) => {
      const row = Object.fromEntries(fields.map(([field, column], n) => [field, fromText(column, values[n] ?? null)]));
      return [`${business} ${projection.key.map((column) => String(row[column])).join('\0')}`, asText(projection, row)];
    }),
  );
}

/** One text for a row, however its fields are ordered. */
const asText = ({ columns }: Projection, row: AnyRow): string =>
  canonicalize(Object.fromEntries(Object.keys(columns).map((field) => [field, withoutBigints(row[field])])))!;

const withoutBigints = (value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}
