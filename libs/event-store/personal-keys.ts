import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool, PoolClient } from 'pg';
import { FORGOTTEN } from '../domain/kernel/event.js';

/** A key of 32 bytes, or that there is none any more. */
export type PersonalKey = Buffer | typeof FORGOTTEN;

export interface PersonalKeys {
  /** Creates the schema; safe to run from several processes at once. */
  migrate(): Promise<void>;
  /**
   * Keys to encrypt with; a person's first use makes the key and commits it. A forgotten person has none, and gets none.
   */
  forWriting(personIds: readonly string[]): Promise<ReadonlyMap<string, PersonalKey>>;
  /** Keys to decrypt with. A key that is neither there nor on the list of those forgotten is an error. */
  forReading(personIds: readonly string[]): Promise<ReadonlyMap<string, PersonalKey>>;
  /** Whoever is forgotten, as this process has just heard: their key is not used again here, whether it is deleted yet or not. */
  forgotten(personId: string): void;
  /** Deletes a person's key and puts the person on the list. Other processes follow within a minute. Repeating it is fine. */
  forget(personId: string): Promise<void>;
}

const CACHED = { max: 50_000, ttl: 60_000 }; // the ttl bounds how long another process can still read what was forgotten
const MIGRATION_LOCK = 0x7065_7273; // any number that nothing else locks

const schema = `
  create schema if not exists personal_keys;
  create table if not exists personal_keys.keys (
    person_id text primary key,
    wrapped bytea,            -- iv, ciphertext, tag; null once forgotten: the row then is the entry on the list
    wrapped_by text,          -- which operator key it takes to unwrap it
    created_at timestamptz not null default now(),
    forgotten_at timestamptz,
    check ((wrapped is null) = (forgotten_at is not null) and (wrapped is null) = (wrapped_by is null))
  );
  create index if not exists keys_forgotten on personal_keys.keys (person_id) where forgotten_at is not null`;

interface KeyRow {
  person_id: string;
  wrapped: Buffer | null;
  wrapped_by: string | null;
}

/**
 * One AES-256 key per person, in a Postgres schema of its own, wrapped by the operator's key. Deleting a person's key
 * makes all that was ever stored about them unreadable, and leaves the history and its hashes as they are.
 * @param operatorKey 32 bytes; without it no personal field can be read
 */
export function createPersonalKeys({ pool, operatorKey }: { pool: Pool; operatorKey: Buffer }): PersonalKeys {
  const wrapping = keyWrapping(operatorKey);
  const cache = new LRUCache<string, PersonalKey>(CACHED);
  const heard = new LRUCache<string, true>({ max: CACHED.max }); // who is forgotten, whatever the table says

  /** The keys that are there, from the cache or the table. */
  const find = async (personIds: readonly string[]): Promise<Map<string, PersonalKey>> => {
    const found = new Map<string, PersonalKey>();
    for (const personId of personIds) {
      const key = heard.has(personId) ? FORGOTTEN : cache.get(personId);
      if (key) found.set(personId, key);
    }
    const others = personIds.filter((personId) => !found.has(personId));
    if (others.length === 0) return found;
    const { rows } = await pool.query<KeyRow>('select person_id, wrapped, wrapped_by from personal_keys.keys where person_id = any($1)', [
      others,
    ]);
    for (const row of rows) {
      const key = row.wrapped ? wrapping.unwrap(row) : FORGOTTEN;
      cache.set(row.person_id, key);
      found.set(row.person_id, key);
    }
    return found;
  };

  /** Whoever is first makes the key; the others read it back. Sorted, so that two who make the same keys never wait for each other. */
  const make = async (personIds: readonly string[]): Promise<void> => {
    const sorted = personIds.toSorted();
    await pool.query(
      `insert into personal_keys.keys (person_id, wrapped, wrapped_by)
       select person_id, wrapped, $3 from unnest($1::text[], $2::bytea[]) as made (person_id, wrapped) on conflict do nothing`,
      [sorted, sorted.map((personId) => wrapping.wrap(personId, randomBytes(32))), wrapping.id],
    );
  };

  return {
    migrate: () => inTransaction(pool, (client) => client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK}); ${schema}`)),

    forWriting: async (personIds) => {
      let keys = await find(personIds);
      const missing = personIds.filter((personId) => !keys.has(personId));
      if (missing.length > 0) {
        await make(missing);
        keys = await find(personIds);
      }
      return keys;
    },

    forReading: async (personIds) => {
      const keys = await find(personIds);
      const missing = personIds.find((personId) => !keys.has(personId));
      if (missing !== undefined)
        throw new Error(
          `There is no key for the person ${missing}, who was not forgotten either: was an older backup of the keys restored?`,
        );
      return keys;
    },

    forgotten: (personId) => void heard.set(personId, true),

    forget: async (personId) => {
      heard.set(personId, true);
      await pool.query(
        `insert into personal_keys.keys (person_id, forgotten_at) values ($1, now())
         on conflict (person_id) do update set wrapped = null, wrapped_by = null, forgotten_at = coalesce(keys.forgotten_at, now())`,
        [personId],
      );
      cache.set(personId, FORGOTTEN);
    },
  };
}

/** AES-256-GCM under the operator's key, with the person's id as additional data, so that keys can't be swapped. */
function keyWrapping(operatorKey: Buffer) {
  if (operatorKey.length !== 32) throw new Error(`The operator key must have 32 bytes, it has ${operatorKey.length}.`);
  const id = createHash('sha256').update('operator key:').update(operatorKey).digest('hex').slice(0, 16);
  return {
    id,
    wrap: (personId: string, key: Buffer): Buffer => {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', operatorKey, iv).setAAD(Buffer.from(personId));
      return Buffer.concat([iv, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
    },
    unwrap: ({ person_id: personId, wrapped, wrapped_by: wrappedBy }: KeyRow): Buffer => {
      if (!wrapped || wrappedBy !== id)
        throw new Error(`The key of the person ${personId} is wrapped by the operator key ${wrappedBy}, and OPERATOR_KEY is ${id}.`);
      const decipher = createDecipheriv('aes-256-gcm', operatorKey, wrapped.subarray(0, 12)).setAAD(Buffer.from(personId));
      decipher.setAuthTag(wrapped.subarray(-16));
      return inMemoryOfItsOwn(Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]));
    },
  };
}

/** Small buffers share a pool of 8 KiB: one that is kept would keep all of that. */
const inMemoryOfItsOwn = (bytes: Buffer): Buffer => Buffer.from(Uint8Array.from(bytes).buffer);

async function inTransaction(pool: Pool, work: (client: PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await work(client);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
