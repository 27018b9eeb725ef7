import type { Pool } from 'pg';
import type { EventStore, StoredEvent } from '../event-store/event-store.js';

// How far all has been looked at for sealing, and when: it spares a reading from the beginning. What is sealed, the seals say.

export const SEALED_THROUGH = `
  CREATE TABLE IF NOT EXISTS audit.sealed (one boolean PRIMARY KEY DEFAULT true CHECK (one), through bigint NOT NULL);
  ALTER TABLE audit.sealed ADD COLUMN IF NOT EXISTS event_id text, ADD COLUMN IF NOT EXISTS stream text, ADD COLUMN IF NOT EXISTS revision bigint,
    ADD COLUMN IF NOT EXISTS at timestamptz(3);`;

interface Through {
  through: string;
  event_id: string | null;
  stream: string | null;
  revision: string | null;
}

/** The position to go on after. Undefined: from the beginning, also where the store lacks the event that was there, as one restored from a backup does. */
export async function sealedThrough(pool: Pool, store: Pick<EventStore, 'readStream'>): Promise<bigint | undefined> {
  const { rows } = await pool.query<Through>('SELECT through::text, event_id, stream, revision::text FROM audit.sealed');
  const last = rows[0];
  if (!last?.stream || last.revision === null) return undefined;
  const revision = BigInt(last.revision);
  const [event] = await store.readStream(last.stream, { from: revision, to: revision });
  return event?.id === last.event_id && event.position === BigInt(last.through) ? event.position : undefined;
}

/** @param last that was looked at; undefined: there was nothing more */
export async function noteSealed(pool: Pool, last: StoredEvent | undefined): Promise<void> {
  if (!last) return void (await pool.query('UPDATE audit.sealed SET at = now()'));
  const { position, id, stream, revision } = last;
  await pool.query(
    `INSERT INTO audit.sealed (through, event_id, stream, revision, at) VALUES ($1, $2, $3, $4, now())
      ON CONFLICT (one) DO UPDATE SET through = excluded.through, event_id = excluded.event_id, stream = excluded.stream,
        revision = excluded.revision, at = excluded.at`,
    [position, id, stream, revision],
  );
}

/** How long ago all was sealed last, in ms, by whichever process; undefined: never. */
export async function sinceSealed(pool: Pool): Promise<number | undefined> {
  const { rows } = await pool.query<{ ms: number | null }>('SELECT (extract(epoch FROM now() - at) * 1000)::float AS ms FROM audit.sealed');
  return rows[0]?.ms ?? undefined;
}
