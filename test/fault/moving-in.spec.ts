import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { client, registerClient } from '../../libs/domain/client/client.js';
import type { ImportEvent } from '../../libs/domain/import/import.events.js';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { isUpToDate } from '../support/afresh.js';
import { serviceWith } from '../support/faults.js';
import { newKey, until, type PolicyMode, type Sent } from '../support/fleet.js';
import { csvOf } from '../support/moving-in.js';

// Whatever dies, or goes wrong inside, while a file is moved in: sent again, every package is there once. 10,000 rows and more deaths with SOAK=1.

const soak = Boolean(process.env.SOAK);
const ROWS = soak ? 10_000 : 240;
const KILLS = soak ? 5 : 2;
const PATIENCE = soak ? 3_600_000 : 300_000;
const AWAY_FOR = 1_500; // ms

type Ended = Extract<ImportEvent, { type: 'ImportEnded' }>['data'];

describe.each<PolicyMode>(soak ? ['api', 'both'] : ['api'])('policies: %s', (policies) => {
  const service = serviceWith(policies);
  const { fleet, url, history, making } = service;
  let offeringId: string;
  beforeAll(async () => {
    offeringId = await making().offering();
  });

  /** Every tenth client is there; every other row has one that is registered with it. */
  const fileOf = (name: string, rows: number): Sent => ({
    method: 'POST',
    path: '/imports?createClients=true',
    body: csvOf([
      ...Array.from({ length: rows }, (_, n) => ({
        ...{ reference: `${name}-${n}`, offering: offeringId, remaining: n % 7, soldOn: '2026-01-31', amountPaid: '350.00' },
        ...(n % 10 === 0 ? { client: making().clientId } : { client: `${name}-${n}@example.org`, clientName: `Client ${n}` }),
      })),
      { reference: 'bad', offering: offeringId, soldOn: 'once' },
    ]),
  });
  const start = async (sent: Sent, key = newKey()) => (await fleet().desk.get(url(), sent, key)).importId!;

  const saidOf = async (importId: string) =>
    (await history()).filter(({ stream }) => stream === `import-${importId}`) as Recorded<ImportEvent>[];
  const isEnded = async (importId: string) => (await saidOf(importId)).at(-1)?.type === 'ImportEnded';
  const endOf = async (importId: string): Promise<Ended> => {
    await until(() => isEnded(importId), 'all rows are moved in', PATIENCE);
    return (await saidOf(importId)).at(-1)!.data as Ended;
  };
  const references = async () =>
    (await history()).filter(({ type }) => type === 'PackageImported').map(({ data }) => (data as { reference: string }).reference);
  /** That many packages are there, and it goes on. */
  const reached = async (importId: string, packages: number) => {
    await until(async () => (await references()).length >= packages, 'some rows are moved in', PATIENCE);
    expect(await isEnded(importId)).toBe(false);
  };

  const first = newKey();
  it(
    'L7: killed in the middle and sent again, every package is there once',
    async () => {
      const file = fileOf('old', ROWS);
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const importId = await start(file, kill === 1 ? first : newKey());
        await reached(importId, (soak ? ROWS / (KILLS + 2) : 10) * kill);
        await fleet().apis[0]!.kill();
        await fleet().apis[0]!.start();
      }
      const { imported, skipped, ...end } = await endOf(await start(file));
      expect(end).toMatchObject({ outcome: 'completed', failed: 1, attempt: 1 });
      expect([imported + skipped, skipped > 0]).toEqual([ROWS, true]);
    },
    PATIENCE,
  );

  it(
    'L7: while the event store is away it pauses, and goes on by itself',
    async () => {
      const importId = await start(fileOf('newer', ROWS));
      await reached(importId, ROWS + (soak ? ROWS / 3 : 10));
      await fleet().eventStore.kill();
      await sleep(AWAY_FOR);
      await fleet().eventStore.start();
      expect(await endOf(importId)).toMatchObject({ outcome: 'completed', imported: ROWS, skipped: 0, failed: 1, attempt: 1 });
    },
    PATIENCE,
  );

  it('L7: what goes wrong inside at one row is told at that row, with what finds it in the log, and stops no other', async () => {
    const { reader, pool, desk } = fleet();
    const [unreadable, command] = [randomUUID(), randomUUID()];
    const description = { clientId: unreadable, name: 'Zoé', email: null, phone: null, externalReference: null };
    const context = { commandId: command, business: desk.business, actor: { id: 'desk', role: 'owner' as const }, now: reader.clock() };
    await reader.handle(client, unreadable, { ...context, correlationId: command, causationId: command }, registerClient(description));
    await until(() => isUpToDate(pool, reader.store, 'elsewhere'), 'the lists have her');
    await history();
    const keys = 'personal_keys.keys WHERE person_id = $1';
    const { rows } = await pool.query<{ wrapped: Buffer; wrapped_by: string }>(`DELETE FROM ${keys} RETURNING wrapped, wrapped_by`, [
      unreadable,
    ]);

    const row = (reference: string, clientId: string) => ({
      reference,
      offering: offeringId,
      client: clientId,
      remaining: 1,
      soldOn: '2026-01-31',
    });
    const body = csvOf([row('z-1', making().clientId), row('z-2', unreadable), row('z-3', making().clientId)]);
    const sent: Sent = { method: 'POST', path: '/imports', body };
    const key = newKey();
    const importId = await start(sent, key);
    expect(await endOf(importId)).toMatchObject({ outcome: 'completed', imported: 2, failed: 1 });
    const told = (await saidOf(importId)).flatMap(({ type, data }) => (type === 'ImportProgressed' ? data.badRows : []));
    expect(told).toMatchObject([{ line: 3, problems: [{ column: null, code: 'INTERNAL_ERROR' }] }]);
    expect(told[0]!.problems[0]!.message).toContain(key.correlationId);

    await pool.query('INSERT INTO personal_keys.keys (person_id, wrapped, wrapped_by) VALUES ($1, $2, $3)', [
      ...[unreadable, rows[0]!.wrapped, rows[0]!.wrapped_by],
    ]);
    expect(await endOf(await start(sent))).toMatchObject({ outcome: 'completed', imported: 1, skipped: 2, failed: 0 });
  });

  it(
    'L2, L7: the same request sent again is the same import; it is taken up once it is silent',
    async () => {
      const file = fileOf('old', ROWS);
      const importId = await start(file, first);
      await until(
        async () => {
          expect(await start(file, first)).toBe(importId);
          return isEnded(importId);
        },
        'it is taken up and ends',
        PATIENCE,
      );
      expect((await saidOf(importId)).filter(({ type }) => type === 'ImportResumed')).toHaveLength(1);
      expect(await endOf(importId)).toMatchObject({ outcome: 'completed', imported: 0, skipped: ROWS, failed: 1, attempt: 2 });
    },
    PATIENCE,
  );

  it(
    'C5, D3, K3, L7: nothing is doubled, each has its invoice over nothing, streams and read models agree',
    async () => {
      await service.settled(PATIENCE);
      const packages = 2 * ROWS + 3;
      const imported = await references();
      expect([imported.length, new Set(imported).size]).toEqual([packages, packages]);
      const types = (await history()).map(({ type }) => type);
      const count = (type: string) => types.filter((each) => each === type).length;
      expect(['OfferingLocked', 'PackageSold', 'InvoiceIssued', 'ClientRegistered'].map(count)).toEqual([
        ...[1, packages, packages],
        2 + (2 * ROWS * 9) / 10,
      ]);
    },
    PATIENCE,
  );
});
