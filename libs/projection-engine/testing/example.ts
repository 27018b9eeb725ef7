import { v5 as uuidv5 } from 'uuid';
import type { Recorded } from '../../domain/kernel/event.js';
import { column, defineProjection, insert, removeMany, update, updateMany, upsert } from '../define-projection.js';
import { recorded } from './recorded.js';

/** Projections of a small history, for the engine's own specs. */
export type Example =
  | { type: 'PackageSold'; data: { packageId: string; clientId: string; limit: number } }
  | { type: 'SessionConsumed'; data: { packageId: string; remaining: number } }
  | { type: 'ClientMerged'; data: { from: string; into: string } }
  | { type: 'ClientForgotten'; data: { clientId: string } };

export const packages = defineProjection({
  name: 'packages',
  version: 1,
  key: 'packageId',
  columns: {
    packageId: column.uuid(),
    clientId: column.uuid().indexed(),
    remaining: column.integer().indexed(),
    price: column.amount(),
    note: column.text().nullable().searched(),
    active: column.boolean(),
    soldAt: column.instant(),
    soldOn: column.date(),
    position: column.bigint(),
    services: column.json<{ limit: number; uses: number[] }>(),
  },
  indexes: [['clientId', 'remaining']],
}).on<Example>({
  PackageSold: insert(({ data: { packageId, clientId, limit }, metadata, position }) => ({
    packageId,
    clientId,
    remaining: limit,
    price: 9_007_199_254_740_991,
    note: 'quote " backslash \\ comma , brace } NULL',
    active: true,
    soldAt: metadata.time,
    soldOn: metadata.time.slice(0, 10),
    position,
    services: { limit, uses: [] },
  })),
  SessionConsumed: update(
    ({ data }) => data.packageId,
    (row, { data: { remaining }, position }) => ({
      ...row,
      remaining,
      note: null,
      active: remaining > 0,
      position,
      services: { ...row.services, uses: [...row.services.uses, remaining] },
    }),
  ),
  ClientMerged: updateMany(
    ({ data }) => ({ clientId: data.from }),
    (row, { data }) => ({ ...row, clientId: data.into }),
  ),
  ClientForgotten: removeMany(({ data }) => ({ clientId: data.clientId })),
});

/** Counts what an update would hide: an event that was folded twice. */
export const counts = defineProjection({
  name: 'counts',
  version: 1,
  key: ['clientId', 'kind'],
  columns: { clientId: column.uuid(), kind: column.text(), count: column.integer() },
}).on<Example>({
  PackageSold: upsert(
    ({ data }) => [data.clientId, 'sold'],
    (row, { data }) => ({ clientId: data.clientId, kind: 'sold', count: (row?.count ?? 0) + 1 }),
  ),
});

export const idOf = (name: string | number): string => uuidv5(String(name), '3f0c7c1e-6f0e-4c52-9d7e-6f4c3a1b2c3d');

/** Packages sold to few clients and consumed in turn, so that neighbours are of different streams. */
export function exampleHistory(events: number, packagesSold: number, first = 1n): Recorded<Example>[] {
  const left = new Map<number, number>();
  const history = Array.from({ length: events }, (_, i): Example => {
    const n = i % packagesSold;
    const remaining = left.get(n);
    left.set(n, remaining === undefined ? 1000 : remaining - 1);
    return remaining === undefined
      ? { type: 'PackageSold', data: { packageId: idOf(n), clientId: idOf(`client ${n % 10}`), limit: 1000 } }
      : { type: 'SessionConsumed', data: { packageId: idOf(n), remaining: remaining - 1 } };
  });
  return recorded(history, { first });
}
