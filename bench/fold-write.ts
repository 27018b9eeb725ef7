import { pipeline } from 'node:stream/promises';
import pg, { type Pool } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { pino } from 'pino';
import type { Recorded } from '../libs/domain/kernel/event.js';
import { checkpointOf } from '../libs/projection-engine/checkpoint.js';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { consumerOf } from '../libs/projection-engine/projection-consumer.js';
import { migrate } from '../libs/projection-engine/schema.js';
import { tableName } from '../libs/projection-engine/sql-names.js';
import { Worker } from '../libs/projection-engine/worker.js';

const FED = 1_000; // events at once, as the store's client gives them

/** A history as the store's client gives it. */
function* inBatches(history: Iterable<Recorded>): Generator<Recorded[]> {
  let batch: Recorded[] = [];
  for (const event of history) {
    batch.push(event);
    if (batch.length < FED) continue;
    yield batch;
    batch = [];
  }
  if (batch.length) yield batch;
}

/** Seconds that the engine takes to bring projections from nothing to the end of a history that is fed from memory. */
export async function foldAndWrite(databaseUrl: string, projections: readonly Projection[], history: Iterable<Recorded>): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 16, options: '-c TimeZone=UTC -c synchronous_commit=off' });
  pool.on('error', () => undefined); // connections that are ended with the server
  try {
    await pool.query('DROP SCHEMA IF EXISTS read_models, policies, event_feed CASCADE');
    await migrate(pool, projections);
    await pool.query(`INSERT INTO read_models.leader VALUES (true, 1, 'bench', now(), now(), '{}')`);
    const workers = projections.map((projection) => workerOf(pool, projection));
    const started = performance.now();
    const working = workers.map((worker) => worker.run(new AbortController().signal));
    let last: bigint | undefined;
    for (const batch of inBatches(history)) {
      last = batch.at(-1)!.position;
      await Promise.all(workers.map(({ inbox }) => inbox.offer(batch)));
    }
    for (const { inbox } of workers) inbox.close();
    await Promise.all(working);
    const seconds = (performance.now() - started) / 1000;
    for (const worker of workers) if (worker.poison ?? worker.written !== last) throw new Error(JSON.stringify(worker.poison));
    return seconds;
  } finally {
    await pool.end();
  }
}

const workerOf = (pool: Pool, projection: Projection): Worker =>
  new Worker({
    consumer: consumerOf(projection, pool),
    checkpoint: checkpointOf(pool, 'read_models', projection.name, projection.version),
    epoch: 1n,
    leads: () => Promise.resolve(true),
    logger: pino({ level: 'warn' }),
  });

/** Seconds of one COPY of so many rows into a table like a projection's, indexes included. The rows are there as text before. */
export async function copyRows(databaseUrl: string, projection: Projection, rows: number): Promise<number> {
  const [client, table] = [new pg.Client(databaseUrl), `copied_${projection.name}`];
  await client.connect();
  try {
    const chunks = await likeThose(client, projection, rows);
    await client.query(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (LIKE ${tableName(projection)} INCLUDING ALL)`);
    const started = performance.now();
    await pipeline(chunks, client.query(copyFrom(`COPY ${table} FROM STDIN`)));
    return (performance.now() - started) / 1000;
  } finally {
    await client.end();
  }
}

/** Rows as the projection has them, each of a business of its own. */
async function likeThose(client: pg.Client, projection: Projection, rows: number): Promise<string[]> {
  const { rows: texts } = await client.query<{ text: string }>(
    `SELECT replace(replace(string_agg(value, E'\\t' ORDER BY n), 'NULL', '\\N'), '\\"', '\\\\"') AS text FROM (SELECT * FROM ${tableName(projection)} LIMIT 1000) t,
      LATERAL (SELECT coalesce(value, '\\N') AS value, n FROM json_each_text(row_to_json(t)) WITH ORDINALITY e(key, value, n)) v WHERE n > 1 GROUP BY t`,
  );
  const lines = Array.from({ length: rows }, (_, i) => `${crypto.randomUUID()}\t${texts[i % texts.length]!.text}\n`);
  return Array.from({ length: Math.ceil(rows / FED) }, (_, i) => lines.slice(i * FED, (i + 1) * FED).join(''));
}
