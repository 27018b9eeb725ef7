import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { startParts, type Parts } from '../../test/support/event-store.js';
import { domainEvents } from '../domain/events.js';
import { changeTax, defineTax, tax } from '../domain/tax/tax.js';
import { createCodec, type Codec } from '../event-store/codec.js';
import { connectEventStore, type EventStore } from '../event-store/event-store.js';
import { createHandle, type Handle } from '../event-store/handle.js';
import { createPersonalKeys } from '../event-store/personal-keys.js';
import { context } from '../event-store/testing/counters.js';
import { Facts } from './facts.js';

let parts: Parts, pool: Pool, store: EventStore, codec: Codec, handle: Handle;
beforeAll(async () => {
  parts = await startParts();
  pool = new Pool({ connectionString: parts.databaseUrl, max: 2 });
  store = connectEventStore({ url: parts.eventStoreUrl });
  const keys = createPersonalKeys({ pool, operatorKey: Buffer.alloc(32, 1) });
  await keys.migrate();
  codec = createCodec(domainEvents, keys);
  handle = createHandle({ store, codec });
});
afterAll(async () => {
  await store?.dispose();
  await pool?.end();
  await parts?.stop();
});

const { business } = context(randomUUID());
const defined = async (): Promise<string> => {
  const taxId = randomUUID();
  await handle(tax, taxId, context(randomUUID()), defineTax({ taxId, name: 'GST', rate: '5' }));
  return taxId;
};
const changed = (taxId: string, rate: string) => handle(tax, taxId, context(randomUUID()), changeTax(taxId, { rate }));

/** Facts that follow the store until the test is over. */
const following = async (parts: { store?: EventStore; codec?: Codec; warn?: () => void }, test: (facts: Facts) => Promise<void>) => {
  const facts = new Facts(parts.store ?? store, parts.codec ?? codec, { warn: parts.warn ?? (() => undefined) });
  await facts.start();
  await test(facts).finally(() => facts.stop());
};
const rateIn = async (facts: Facts, taxId: string) => (await facts.of(tax, business, taxId))?.state.rate;
const until = async (isSo: () => boolean | Promise<boolean>) => {
  while (!(await isSo())) await sleep(5);
};

describe('A fact', () => {
  it('A3: is there for its own business alone', async () => {
    const taxId = await defined();
    await following({}, async (facts) => {
      expect(await rateIn(facts, taxId)).toBe('5');
      expect(await facts.of(tax, randomUUID(), taxId)).toBeUndefined();
      expect(await facts.of(tax, business, randomUUID())).toBeUndefined();
    });
  });

  it('is as new as what others have changed, milliseconds later', async () => {
    const taxId = await defined();
    await following({}, async (facts) => {
      await rateIn(facts, taxId);
      await changed(taxId, '6');
      await until(async () => (await rateIn(facts, taxId)) === '6');
    });
  });

  it('that was changed while it was being read does not stay as it was', async () => {
    const [taxId, beacon] = [await defined(), await defined()];
    const gate = { open: () => undefined as void };
    const opened = new Promise<void>((resolve) => (gate.open = resolve));
    const slow: EventStore = {
      ...store,
      readStream: async (stream, range) => {
        const events = await store.readStream(stream, range);
        if (stream === `tax-${taxId}`) await opened;
        return events;
      },
    };
    await following({ store: slow }, async (facts) => {
      await rateIn(facts, beacon);
      const before = rateIn(facts, taxId);
      await changed(taxId, '6');
      await changed(beacon, '6');
      await until(async () => (await rateIn(facts, beacon)) === '6'); // so the change before it has come too
      gate.open();
      expect(await before).toBe('5');
      expect(await rateIn(facts, taxId)).toBe('6');
    });
  });

  it('of which a change cannot be read is read again when it is needed', async () => {
    const taxId = await defined();
    let isBroken = false;
    let warned = false;
    const failing: Codec = {
      ...codec,
      decode: (events) => (isBroken ? Promise.reject(new Error('Postgres is away')) : codec.decode(events)),
    };
    await following({ codec: failing, warn: () => (warned = true) }, async (facts) => {
      await rateIn(facts, taxId);
      isBroken = true;
      await changed(taxId, '6');
      await until(() => warned);
      isBroken = false;
      expect(await rateIn(facts, taxId)).toBe('6');
      await changed(taxId, '7');
      await until(async () => (await rateIn(facts, taxId)) === '7');
    });
  });
});
