import { isUpToDate, wholeHistory } from '../support/afresh.js';
import { serviceWith } from '../support/faults.js';
import { until } from '../support/fleet.js';
import { POLICY_MODES } from '../support/service.js';
import { booking, sale } from '../support/shop.js';

// The numbers of invoices, whatever becomes of the projector that gives them: `settled` holds them against the invoices. Two
// projectors at once are in standby.spec.ts, and all else that is killed in kills.spec.ts.

const soak = Boolean(process.env.SOAK);
const BOOKED = 6;
const PATIENCE = 600_000; // ms for a test, most of it for processes to start

type Service = ReturnType<typeof serviceWith>;

/** A sale and a few bookings at once: each brings an invoice. */
const invoices = async ({ fleet, url, making }: Service): Promise<void> => {
  const shop = making();
  const requests = [sale(shop, await shop.offering()), ...Array.from({ length: BOOKED }, () => booking(shop))];
  await Promise.all(requests.map((sent) => fleet().desk.get(url(), sent)));
};

/** Which invoice has which number, once all is quiet and agrees. */
const numbers = async ({ fleet, agreed }: Service): Promise<Map<string, string>> => {
  await agreed();
  const { events } = await wholeHistory(fleet().reader);
  const numbered = events.filter(({ type }) => type === 'InvoiceNumbered').map(({ data }) => data as { invoiceId: string; shown: string });
  return new Map(numbered.map(({ invoiceId, shown }) => [invoiceId, shown]));
};

describe.each(soak ? POLICY_MODES : (['api'] as const))('the projector dies, policies: %s', (policies) => {
  const service = serviceWith(policies);
  const { fleet } = service;
  const projector = () => fleet().projectors[0]!;

  it.each(['before:InvoiceNumbered', 'after:InvoiceNumbered'])(
    'D3: %s: each invoice has one number, and none is missing',
    async (dyingAt) => {
      const before = await numbers(service);
      await projector().kill();
      await invoices(service);
      const doomed = fleet().doomed('apps/projector/main.js', dyingAt);
      await doomed.start();
      await doomed.ended();
      await invoices(service);
      await projector().start();
      const after = await numbers(service);
      await service.settled();
      expect(after.size).toBe(before.size + 2 * (BOOKED + 1));
      expect([...after].slice(0, before.size)).toEqual([...before]);
    },
    PATIENCE,
  );
});

describe('what Postgres has lost', () => {
  const service = serviceWith('both');
  const { fleet } = service;
  const projector = () => fleet().projectors[0]!;
  const leads = (): Promise<boolean> =>
    fleet()
      .pool.query('SELECT FROM read_models.leader')
      .then(
        ({ rowCount }) => rowCount === 1,
        () => false, // the tables are being made
      );
  const isStill = async (numbered: Map<string, string>): Promise<void> => {
    await invoices(service);
    const after = await numbers(service);
    await service.settled();
    expect(after.size).toBe(numbered.size + BOOKED + 1);
    expect([...after].slice(0, numbered.size)).toEqual([...numbered]);
  };

  it(
    'D3: the last checkpoints, whose commits had not waited for the disk: nothing is numbered twice',
    async () => {
      await invoices(service);
      await until(async () => isUpToDate(fleet().pool, fleet().reader.store), 'the first invoices have their numbers');
      await fleet().pool.query('CREATE TABLE on_disk AS SELECT * FROM policies.checkpoints');
      await invoices(service);
      const numbered = await numbers(service);
      await projector().kill();
      await fleet().pool.query(
        `UPDATE policies.checkpoints c SET position = d.position, event_id = d.event_id, stream = d.stream, revision = d.revision, time = d.time
          FROM on_disk d WHERE d.projection = c.projection AND d.version = c.version`,
      );
      await projector().start();
      await isStill(numbered);
    },
    PATIENCE,
  );

  it(
    'D3: all read models and checkpoints: they are built anew, and every invoice keeps its number',
    async () => {
      const numbered = await numbers(service);
      await projector().kill();
      await fleet().pool.query('DROP SCHEMA read_models, policies CASCADE');
      await projector().start();
      await until(leads, 'the projector leads');
      await isStill(numbered);
    },
    PATIENCE,
  );
});
