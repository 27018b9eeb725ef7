import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { business } from '../../../libs/domain/business/business.js';
import { asInstant, localDateOf } from '../../../libs/domain/kernel/calendar.js';
import { InvalidInput, NotFound } from '../../../libs/domain/kernel/refusal.js';
import type { Projection } from '../../../libs/projection-engine/define-projection.js';
import { BadCursor } from '../../../libs/projection-engine/paging.js';
import type { ListQuery, ReadModels } from '../../../libs/projection-engine/read-models.js';
import { directory } from '../../../projections/directory.projection.js';
import type { PackageRow } from '../../../projections/package-list.projection.js';
import type { CallContext } from '../http/call.js';
import { HttpProblem, type RequestError } from '../http/problems.js';
import type { NamedQuery, Page, PageQuery } from './paging.js';

/** The token under which the read models are provided. */
export const READ_MODELS = Symbol('read models');

/** A row as JSON has it: positions and revisions as text. */
export type Shown<Row> = { [Name in keyof Row]: Row[Name] extends bigint ? string : Row[Name] };

const PAGE = 50;
const FRESH_WITHIN = 5_000; // ms

/** What all queries have in common: the caller's business, what is not found, pages. */
@Injectable()
export class Reading {
  constructor(
    @Inject(READ_MODELS) private readonly readModels: ReadModels,
    @Inject(PARTS) private readonly parts: Pick<Parts, 'facts' | 'clock'>,
  ) {}

  /** @throws NotFound when this business has no such thing (A3) */
  async one<Row extends object>(projection: Projection<Row>, call: CallContext, what: string, id: string): Promise<Shown<Row>> {
    const row = await this.oneOrNone(projection, call, id);
    if (!row) throw new NotFound(what, id);
    return row;
  }

  async oneOrNone<Row extends object>(projection: Projection<Row>, call: CallContext, id: string): Promise<Shown<Row> | undefined> {
    await this.fresh(projection, call);
    const row = await this.readModels.row(projection, call.business, id);
    return row && shown(row);
  }

  async page<Row extends object>(
    projection: Projection<Row>,
    call: CallContext,
    { limit = PAGE, cursor }: PageQuery,
    query: Omit<ListQuery<Row>, 'limit' | 'cursor'>,
  ): Promise<Page<Shown<Row>>> {
    const order = orderOf(projection, query);
    if (cursor !== undefined && !cursor.startsWith(order)) throw notACursor();
    await this.fresh(projection, call);
    try {
      const after = cursor?.slice(order.length);
      const { rows, next } = await this.readModels.list(projection, call.business, { ...query, limit, cursor: after });
      return { items: rows.map(shown), next: next && order + next };
    } catch (error) {
      if (cursor !== undefined && (error instanceof BadCursor || isDataException(error))) throw notACursor();
      throw error;
    }
  }

  /** What things are called now; also what nobody has told the directory yet has its place, with an empty name. */
  async names(call: CallContext, ids: Iterable<string>): Promise<(id: string) => string> {
    const entries = await this.those(directory, call, ids);
    return (id) => entries.get(id)?.name ?? '';
  }

  /** Those of them that there are, by their keys. */
  async those<Row>(projection: Projection<Row>, call: CallContext, ids: Iterable<string>): Promise<Map<string, Row>> {
    const keys = [...new Set(ids)];
    if (keys.length === 0) return new Map();
    await this.fresh(projection, call);
    return this.readModels.rows(projection, call.business, keys);
  }

  /** Those with one of these values in a column, in the order of their keys, and not more than so many. */
  async thoseWith<Row extends object>(
    projection: Projection<Row>,
    call: CallContext,
    wanted: { column: keyof Row & string; values: readonly string[]; limit: number },
  ): Promise<Shown<Row>[]> {
    await this.fresh(projection, call);
    return (await this.readModels.rowsWith(projection, call.business, wanted)).map(shown);
  }

  /** L3: waits, within bounds, until this read model has seen what the caller has; another that lags or is stopped holds up nobody. */
  private async fresh({ name }: { name: string }, { minPosition }: CallContext): Promise<void> {
    if (minPosition === undefined || (await this.readModels.waitFor(minPosition, FRESH_WITHIN, [name]))) return;
    const detail = `What is read here is not yet as fresh as position ${minPosition}. Repeat the call later.`;
    throw new HttpProblem(503, 'NOT_YET_FRESH', detail, {
      headers: { 'retry-after': '1' },
      details: { minPosition: String(minPosition) },
    });
  }

  /** People and things by name, in its order. */
  named<Row extends { name: string }>(projection: Projection<Row>, call: CallContext, query: NamedQuery): Promise<Page<Shown<Row>>> {
    const { name } = query;
    return this.page(projection, call, query, { by: 'name', beginning: { name } as Partial<Row> });
  }

  /** E1: packages that can be used at a moment: neither cancelled nor expired then, with a session of the service left; first to expire on top. */
  async availability(
    call: CallContext,
    { serviceId, start }: { serviceId?: string; start?: string },
  ): Promise<Pick<ListQuery<PackageRow>, 'by' | 'where' | 'atMost' | 'also'>> {
    const settings = await this.parts.facts.of(business, call.business, call.business);
    if (!settings) throw new NotFound('business', call.business);
    const on = localDateOf(start === undefined ? this.parts.clock() : asInstant(start), settings.state.timeZone);
    return {
      by: 'expiresOn',
      where: { status: 'sold' },
      atMost: { soldOn: on },
      also: (query) => {
        query.whereRaw('(expires_on IS NULL OR expires_on >= ?::date)', [on]);
        const left = '@.remaining == null || @.remaining > 0';
        if (serviceId === undefined) query.whereRaw(`jsonb_path_exists(services, '$[*] \\? (${left})')`);
        else
          query.whereRaw(`jsonb_path_exists(services, '$[*] \\? (@.serviceId == $id && (${left}))', ?::jsonb)`, [
            JSON.stringify({ id: serviceId }),
          ]);
      },
    };
  }
}

/** A place in one order is none in another: each cursor begins with the list and the order that gave it, shortened. */
const orderOf = ({ name }: { name: string }, { by, descending = false }: { by: string; descending?: boolean }): string =>
  hash('sha256', `${name} ${by} ${descending}`, 'hex').slice(0, 8);

const notACursor = (): InvalidInput => {
  const message = 'The cursor is not one that this list gave in this order.';
  const error: RequestError = { field: '/cursor', in: 'query', code: 'NOT_A_CURSOR', message };
  return new InvalidInput([error]);
};

/** SQLSTATE class 22: a value that is none of the column's, as only a cursor can bring that somebody made up. */
const isDataException = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^22[0-9A-Z]{3}$/.test(error.code);

const shown = <Row extends object>(row: Row): Shown<Row> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : (value as unknown)]),
  ) as Shown<Row>;
