import type { Pool } from 'pg';
import { sealIn } from '../../../libs/audit/seal-stream.js';
import { publicKeysOf } from '../../../libs/audit/sealing.js';
import { sealEventsBackFrom } from '../../../libs/audit/stored-history.js';
import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import type { EventStore } from '../../../libs/event-store/event-store.js';
import type { RequestError } from '../http/problems.js';
import type { SealPage } from './audit.shapes.js';

const MOST_READ = 1_000; // events for one page: whoever writes among the seals may write a lot, and the next page goes on

export interface SealsWanted {
  business: string;
  end: bigint; // revision of the first event that may be on it
  limit: number;
}

/** Seals of a business, the newest first. What is signed with a key that is none of ours, or is known to be none of its seals, is left out. */
export async function sealPage(
  { store, pool }: { store: Pick<EventStore, 'readStream'>; pool: Pool },
  { business, end, limit }: SealsWanted,
): Promise<SealPage> {
  const keys = new Set((await publicKeysOf(pool)).map(({ publicKey }) => publicKey));
  const { rows } = await pool.query<{ revision: string }>('SELECT revision::text FROM audit.stray_seals WHERE business_id = $1', [
    business,
  ]);
  const strays = new Set(rows.map(({ revision }) => revision));
  const items: SealPage['items'] = [];
  let [before, read] = [end + 1n, 0];
  for await (const event of sealEventsBackFrom(store, business, { end, atFirst: BigInt(limit) })) {
    const seal = strays.has(String(event.revision)) ? undefined : sealIn(event, business);
    if (seal && keys.has(seal.publicKey)) items.push(seal);
    before = event.revision;
    read += 1;
    if (items.length === limit || read === MOST_READ) break;
  }
  return { items, next: before > 0n ? cursorTo(before - 1n) : null };
}

const PREFIX = 'seals before ';

const cursorTo = (revision: bigint): string => Buffer.from(`${PREFIX}${revision}`).toString('base64url');

export const revisionIn = (cursor: string): bigint => {
  const text = Buffer.from(cursor, 'base64url').toString();
  const revision = text.slice(PREFIX.length);
  if (text.startsWith(PREFIX) && /^\d{1,18}$/.test(revision)) return BigInt(revision);
  const message = 'The cursor is not one that this list gave.';
  const error: RequestError = { field: '/cursor', in: 'query', code: 'NOT_A_CURSOR', message };
  throw new InvalidInput([error]);
};
