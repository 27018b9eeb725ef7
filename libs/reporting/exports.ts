import { once } from 'node:events';
import { pipeline, type Readable } from 'node:stream';
import pg, { type PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Sources } from '../projection-engine/sources.js';
import { CsvLines } from './csv-lines.js';
import { Places } from './places.js';
import type { SourceOf } from './report-sql.js';

const MOST_AT_ONCE = 4; // each holds a connection of its own pool, and a snapshot, as long as its reader takes
const MOST_OF_A_BUSINESS = 2;
const PATIENCE = 60_000; // ms for its reader to take some more
const LOOKS = 10; // at it, within that time

/** Its reader does not read on, but would keep a place, and a snapshot that holds back vacuum. */
class NotRead extends Error {
  override name = 'NotRead';
}

export interface ExportOptions {
  business: string;
  columns: readonly string[]; // the header
  bom: boolean;
}

/**
 * Files of CSV of any size: Postgres makes the cells, in one statement and so of one moment, and gives no more than the reader takes. On
 * connections of their own, so that they hold up nobody, without a limit of time as long as they are read.
 */
export class Exports {
  private readonly copying: pg.Pool;
  private readonly places = new Places({ ofABusiness: MOST_OF_A_BUSINESS, inAll: MOST_AT_ONCE });
  private readonly patience: number;

  /** @param parts with a pool for what is not an export; how many ms a reader has to take some more */
  constructor(
    databaseUrl: string,
    private readonly parts: { pool: pg.Pool; sources: Sources; onError: (error: Error) => void; patience?: number },
  ) {
    this.patience = parts.patience ?? PATIENCE;
    const options = '-c TimeZone=UTC -c DateStyle=ISO -c work_mem=32MB -c statement_timeout=0 -c idle_in_transaction_session_timeout=0';
    this.copying = new pg.Pool({ connectionString: databaseUrl, max: MOST_AT_ONCE, options });
    this.copying.on('error', parts.onError);
  }

  /**
   * Resolves when there is something to read, so that what fails at once is not a file. What fails later destroys the stream with its error.
   * Destroying it ends the query, and so does not reading it.
   * @throws TooManyAtOnce
   */
  async csv(statementOf: (sourceOf: SourceOf) => string, { business, columns, bom }: ExportOptions): Promise<Readable> {
    const leave = this.places.take(business);
    try {
      const rows = await this.parts.sources.use((sourceOf) => this.copy(statementOf(sourceOf)));
      const file = new CsvLines(columns, bom);
      const stop = this.watch(file);
      return pipeline(rows, file, () => {
        stop();
        leave();
      });
    } catch (error) {
      leave();
      throw error;
    }
  }

  close = (): Promise<void> => this.copying.end();

  /** Breaks it off when there is something to take and nothing of it is taken. That Postgres takes its time is no fault of the reader's. */
  private watch(file: CsvLines): () => void {
    let [taken, since] = [file.taken, performance.now()];
    const look = () => {
      if (file.taken !== taken || file.readableLength === 0) [taken, since] = [file.taken, performance.now()];
      else if (performance.now() - since >= this.patience) file.destroy(new NotRead(`Nothing was read for ${this.patience} ms.`));
    };
    const timer = setInterval(look, this.patience / LOOKS).unref();
    return () => clearInterval(timer);
  }

  private async copy(statement: string): Promise<Readable> {
    const client = await this.copying.connect();
    client.on('error', ignored); // the query is told
    const rows = client.query(copyTo(`COPY (${statement}) TO STDOUT (FORMAT csv)`));
    rows.once('error', () => rows.destroy()); // it only says so
    rows.once('close', () => void this.release(client, rows));
    await once(rows, 'readable'); // or rejects with its error
    return rows;
  }

  /** What was not read to its end is cancelled: Postgres would only notice when it next writes. */
  private async release(client: PoolClient, rows: Readable): Promise<void> {
    if (rows.readableEnded) {
      client.off('error', ignored);
      return client.release();
    }
    const { processID } = client as unknown as { processID: number };
    await this.parts.pool.query('SELECT pg_cancel_backend($1)', [processID]).catch(ignored);
    client.release(true);
  }
}

const ignored = (): void => undefined;
