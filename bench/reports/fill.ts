import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { allProjections } from '../../libs/projection-engine/all-projections.js';
import type { AnyRow, Projection } from '../../libs/projection-engine/define-projection.js';
import { migrate } from '../../libs/projection-engine/schema.js';
import { quoted, tableName, VALID_FROM } from '../../libs/projection-engine/sql-names.js';
import type { Written } from './rows.js';

const CHUNK = 256 * 1024; // characters that are sent at once

/** Copies rows into the tables of their projections, without events; makes the indexes once the rows are there. */
export async function fill(databaseUrl: string, written: Iterable<Written>): Promise<Map<string, number>> {
  const pool = new pg.Pool({ connectionString: databaseUrl, options: '-c TimeZone=UTC -c synchronous_commit=off' });
  const projections = await allProjections();
  await migrate(pool, projections);
  const copies = new Map<Projection, Copy>();
  for (const { projection, business, row } of written) {
    let copy = copies.get(projection);
    if (!copy) copies.set(projection, (copy = await Copy.into(pool, projection)));
    if (copy.add(business, row as AnyRow)) await copy.flush();
  }
  for (const copy of copies.values()) await copy.end();
  await migrate(pool, projections); // the indexes that were dropped
  await pool.query('VACUUM ANALYZE'); // as autovacuum does, minutes later
  await pool.end();
  return new Map([...copies].map(([{ name }, { rows }]) => [name, rows]));
}

/** One table, on a connection of its own. */
class Copy {
  rows = 0;
  private text = '';

  private constructor(
    private readonly projection: Projection,
    private readonly client: pg.PoolClient,
    private readonly stream: Writable,
  ) {}

  static async into(pool: pg.Pool, projection: Projection): Promise<Copy> {
    const client = await pool.connect();
    const { rows } = await client.query<{ name: string }>(
      `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = $1::regclass AND NOT indisprimary`,
      [tableName(projection)],
    );
    for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
    const columns = ['business_id', ...Object.keys(projection.columns).map(quoted), ...(projection.history ? [VALID_FROM] : [])];
    return new Copy(projection, client, client.query(copyFrom(`COPY ${tableName(projection)} (${columns.join(', ')}) FROM STDIN`)));
  }

  /** @returns whether there is enough to be sent */
  add(business: string, row: AnyRow): boolean {
    const cells = Object.keys(this.projection.columns).map((column) => cellOf(row[column] as Cell));
    this.text += [business, ...cells, ...(this.projection.history ? ['0'] : [])].join('\t') + '\n';
    this.rows += 1;
    return this.text.length > CHUNK;
  }

  async flush(): Promise<void> {
    const hasRoom = this.stream.write(this.text);
    this.text = '';
    if (!hasRoom) await once(this.stream, 'drain');
  }

  async end(): Promise<void> {
    this.stream.end(this.text);
    await finished(this.stream);
    this.client.release();
  }
}

type Cell = string | number | bigint | boolean | object | null;

/** No text in these rows needs an escape. */
function cellOf(value: Cell): string {
  if (value === null) return '\\N';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
