import type { Pool } from 'pg';
import { v5 as uuidv5 } from 'uuid';
import { client, forgetClient } from '../domain/client/client.js';
import type { Parts } from './operation.js';

// Who is forgotten, as Postgres knows it from the events: the projector writes it (apps/projector/forgetter.ts). The list of keys, which is backed up
// last, may know of more after a restore: what they asked for is done again, before anybody is answered (docs/backup-and-restore.md).

const NAMESPACE = 'd0f5b0c6-54b7-5c02-9a4c-4a33b9a4c1de'; // of the ids of the commands that say it again: any, for ever the same
const PAGE = 500;
/** The list of keys does not say who asked. */
const RESTORING = { id: 'restore', role: 'operator' } as const;

/**
 * Forgets again whom the list of keys says, and Postgres does not know of: an older backup of it, or of the events, was restored. And deletes again the
 * keys that an older backup of keys has brought back.
 * @param requireStore asked before anything is said: whether it is the store of which Postgres was
 * @returns those whom the read models may still tell of
 */
export async function forgetAgain(
  parts: Pick<Parts, 'store' | 'handle' | 'forgetting' | 'clock'>,
  pool: Pool,
  requireStore: () => Promise<void>,
): Promise<string[]> {
  const again: string[] = [];
  for (let after = ''; ;) {
    const { rows } = await pool.query<{ personId: string }>(UNHEARD, [after, PAGE]);
    if (rows.length > 0 && after === '') await requireStore();
    for (const { personId } of rows) {
      if (!(await sayAgain(parts, personId))) continue;
      await parts.forgetting.forget(personId);
      again.push(personId);
    }
    if (rows.length < PAGE) break;
    after = rows.at(-1)!.personId;
  }
  const { rows: revived } = await pool.query<{ clientId: string }>(REVIVED);
  for (const { clientId } of revived) await parts.forgetting.forget(clientId);
  return again;
}

const UNHEARD = `
  SELECT person_id AS "personId" FROM personal_keys.keys WHERE forgotten_at IS NOT NULL AND person_id > $1
     AND NOT EXISTS (SELECT FROM policies.forgotten f WHERE f.client_id::text = person_id) ORDER BY person_id LIMIT $2`;

const REVIVED = `
  SELECT client_id AS "clientId" FROM policies.forgotten f JOIN personal_keys.keys k ON k.person_id = f.client_id::text WHERE k.forgotten_at IS NULL`;

/** The event that says it: the one that is there, or a new one. False: nothing of the client is there. */
async function sayAgain({ store, handle, clock }: Pick<Parts, 'store' | 'handle' | 'clock'>, clientId: string): Promise<boolean> {
  const [first] = await store.readStream(`${client.category}-${clientId}`, { to: 0n });
  if (!first) return false;
  const { business, $correlationId } = first.metadata;
  const about = { commandId: uuidv5(`forget:${clientId}`, NAMESPACE), business, actor: RESTORING, policy: 'forgetAgain', now: clock() };
  const context = { ...about, correlationId: $correlationId, causationId: first.id };
  await handle(client, clientId, context, forgetClient(clientId), { fresh: true });
  return true;
}
