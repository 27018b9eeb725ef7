import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { InvalidInput, NotFound } from '../../../libs/domain/kernel/refusal.js';
import type { Projection } from '../../../libs/projection-engine/define-projection.js';
import { BadCursor, cursorOf, placeOf, type Place } from '../../../libs/projection-engine/paging.js';
import type { ListQuery, ReadModels } from '../../../libs/projection-engine/read-models.js';
import { directory } from '../../../projections/directory.projection.js';
import type { CallContext, Then } from '../http/call.js';
import { HttpProblem, type RequestError } from '../http/problems.js';
import { PAGE, type NamedQuery, type Page, type PageQuery } from './paging.js';

/** The token under which the read models are provided. */
export const READ_MODELS = Symbol('read models');
/** The token under which the connections to Postgres are provided, for what is no read model. */
export const POOL = Symbol('pool');

/** A row as JSON has it: positions and revisions as text. */
export type Shown<Row> = { [Name in keyof Row]: Row[Name] extends bigint ? string : Row[Name] };

export const FRESH_WITHIN = 5_000; // ms

/** What all queries have in common: the caller's business, what is not found, pages. */
@Injectable()
export class Reading {
  constructor(@Inject(READ_MODELS) private readonly readModels: ReadModels) {}

  /** @throws NotFound when this business has no such thing (A3) */
  async one<Row extends object>(projection: Projection<Row>, call: CallContext, what: string, id: string): Promise<Shown<Row>> {
    const row = await this.oneOrNone(projection, call, id);
    if (!row) throw new NotFound(what, id);
    return row;
  }

  async oneOrNone<Row extends object>(projection: Projection<Row>, call: CallContext, id: string): Promise<Shown<Row> | undefined> {
    await this.fresh(projection, call);
    const row = await this.readModels.row(projection, call.business, id, call.asOf?.position);
    return row && shown(row);
  }

  async page<Row extends object>(
    projection: Projection<Row>,
    call: CallContext,
    { limit = PAGE, cursor }: PageQuery,
    query: Omit<ListQuery<Row>, 'limit' | 'cursor'>,
  ): Promise<Page<Shown<Row>>> {
    const order = orderOf(projection, query, call.asOf);
    if (cursor !== undefined && !cursor.startsWith(order)) throw notACursor();
    await this.fresh(projection, call);
    try {
      const after = cursor?.slice(order.length);
      const asked = { ...query, limit, cursor: after };
      const { rows, next } = await this.readModels.list(projection, call.business, asked, call.asOf?.position);
      return { items: rows.map(shown), next: next && order + next };
    } catch (error) {
      if (cursor !== undefined && (error instanceof BadCursor || isDataException(error))) throw notACursor();
      throw error;
    }
  }

  /** A page of what was read as a whole, in the order of its places. */
  pageOf<Item>(name: string, items: readonly Item[], { limit = PAGE, cursor }: PageQuery, at: (item: Item) => Place): Page<Item> {
    const order = orderOf({ name }, { by: 'place' });
    const after = cursor === undefined ? undefined : placeIn(order, cursor);
    const inOrder = items.toSorted((a, b) => compare(at(a), at(b)));
    const rest = after ? inOrder.filter((item) => compare(at(item), after) > 0) : inOrder;
    const page = rest.slice(0, limit);
    const last = rest.length > limit ? at(page.at(-1)!) : undefined;
    return { items: page, next: last ? order + cursorOf(last.value, last.id) : null };
  }

  /** What things are called, now or then; also what nobody has told the directory yet has its place, with an empty name. */
  async names(call: CallContext, ids: Iterable<string>): Promise<(id: string) => string> {
    const entries = await this.those(directory, call, ids);
    return (id) => entries.get(id)?.name ?? '';
  }

  /** Those of them that there are, by their keys. */
  async those<Row>(projection: Projection<Row>, call: CallContext, ids: Iterable<string>): Promise<Map<string, Row>> {
    const keys = [...new Set(ids)];
    if (keys.length === 0) return new Map();
    await this.fresh(projection, call);
    return this.readModels.rows(projection, call.business, keys, call.asOf?.position);
  }

  /** Those with one of these values in a column, in the order of their keys, and not more than so many. */
  async thoseWith<Row extends object>(
    projection: Projection<Row>,
    call: CallContext,
    wanted: { column: keyof Row & string; values: readonly string[]; limit: number },
  ): Promise<Shown<Row>[]> {
    await this.fresh(projection, call);
    return (await this.readModels.rowsWith(projection, call.business, wanted, call.asOf?.position)).map(shown);
  }

  /** L3: waits, within bounds, until this read model has seen what the caller has; another that lags or is stopped holds up nobody. */
  async fresh({ name }: { name: string }, { minPosition = -1n, asOf }: CallContext): Promise<void> {
    const position = asOf && asOf.position > minPosition ? asOf.position : minPosition;
    if (position < 0n || (await this.readModels.waitFor(position, FRESH_WITHIN, [name]))) return;
    throw notYetFresh(position);
  }

  /** Up to where a read model is known to be, once it is as fresh as the caller wants it; before the first event: -1. */
  async reached(projection: { name: string }, call: CallContext): Promise<bigint> {
    await this.fresh(projection, call);
    const { minPosition = -1n } = call;
    const held = (await this.readModels.position(projection.name)) ?? -1n;
    return held > minPosition ? held : minPosition;
  }

  /** People and things by name, in its order. */
  named<Row extends { name: string }>(projection: Projection<Row>, call: CallContext, query: NamedQuery): Promise<Page<Shown<Row>>> {
    const { name } = query;
    return this.page(projection, call, query, { by: 'name', beginning: { name } as Partial<Row> });
  }
}

/** A place in one order is none in another: each cursor begins with the list, the order and the time that gave it, shortened. */
const orderOf = ({ name }: { name: string }, { by, descending = false }: { by: string; descending?: boolean }, then?: Then): string =>
  hash('sha256', `${name} ${by} ${descending}${then ? ` as of ${then.position}` : ''}`, 'hex').slice(0, 8);

export const notYetFresh = (position: bigint): HttpProblem =>
  new HttpProblem(503, 'NOT_YET_FRESH', `What is read here is not yet as fresh as position ${position}. Repeat the call later.`, {
    headers: { 'retry-after': '1' },
    details: { minPosition: String(position) },
  });

const placeIn = (order: string, cursor: string): Place => {
  try {
    if (cursor.startsWith(order)) return placeOf(cursor.slice(order.length));
  } catch (error) {
    if (!(error instanceof BadCursor)) throw error;
  }
  throw notACursor();
};

const compare = (a: Place, b: Place): number => byText(a.value ?? '', b.value ?? '') || byText(a.id, b.id);

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const notACursor = (): InvalidInput => {
  const message = 'The cursor is not one that this list gave in this order.';
  const error: RequestError = { field: '/cursor', in: 'query', code: 'NOT_A_CURSOR', message };
  return new InvalidInput([error]);
};

/** SQLSTATE class 22: a value that is none of the column's, as only a cursor can bring that somebody made up. */
export const isDataException = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^22[0-9A-Z]{3}$/.test(error.code);

/** In place, for speed: the row was read for this one answer. */
const shown = <Row extends object>(row: Row): Shown<Row> => {
  const fields = row as Record<string, unknown>;
  for (const name in fields) if (typeof fields[name] === 'bigint') fields[name] = fields[name].toString();
  return row as Shown<Row>;
};
