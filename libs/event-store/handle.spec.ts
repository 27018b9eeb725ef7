import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { startParts, type Parts } from '../../test/support/event-store.js';
import { GENESIS, verifyChain } from './chain.js';
import { createCodec } from './codec.js';
import { connectEventStore, type EventStore } from './event-store.js';
import { createHandle, type Handle } from './handle.js';
import { createPersonalKeys, type PersonalKeys } from './personal-keys.js';
import { open, raise } from './testing/counter.decisions.js';
import { context, counter } from './testing/counters.js';

let parts: Parts, pool: pg.Pool, keys: PersonalKeys, real: EventStore;
beforeAll(async () => {
  parts = await startParts();
  pool = new pg.Pool({ connectionString: parts.databaseUrl });
  keys = createPersonalKeys({ pool, operatorKey: Buffer.alloc(32, 7) });
  await keys.migrate();
  real = connectEventStore({ url: parts.eventStoreUrl });
});
afterAll(async () => {
  await real?.dispose();
  await pool?.end();
  await parts?.stop();
});

it('works', async () => {
  const handle = createHandle({ store: real, codec: createCodec(counter.events, keys) });
  const id = randomUUID();
  const a = await handle(counter, id, context(randomUUID(), { soleUntil: Infinity }), open(3), { create: 'unseen' });
  expect(a).toMatchObject({ revision: 0n, repeated: false, state: { limit: 3, ownerName: 'Anna Ångström' } });
  const b = await handle(counter, id, context(randomUUID()), raise(2));
  expect(b).toMatchObject({ revision: 1n, repeated: false, state: { total: 2 } });
  expect(verifyChain(await real.readStream(`counter-${id}`))).toBeUndefined();
});
