import pLimit from 'p-limit';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { brokenChains, isUpTo, readModelDifferences, wholeHistory } from '../support/afresh.js';
import { disagreements } from '../support/agreement.js';
import { newKey, startFleet, until, type Fleet, type PolicyMode, type Sent } from '../support/fleet.js';
import { createDatabase } from '../support/postgres.js';
import { booking, cancellation, noShow, noShowUndone, openShop, packageCancellation, paidEach, sale, type Shop } from '../support/shop.js';

// Each row of docs/operations-over-streams.md: the process that carries it out is killed between any two appends. Afterwards the operation is
// complete or never happened, and the same request, sent again, has one effect. All deaths before and after each append with SOAK=1.

const soak = Boolean(process.env.SOAK);
const AT_ONCE = 3;
const HEALS_WITHIN = 15_000; // ms: the projector takes over after 2 s, on a machine that does much else

interface Row {
  operation: string; // begins with the rules that it shows
  /** What the operation appends, in all streams together; from the one given in `first` on. */
  appends: string[];
  /** What goes before; gives the request. */
  prepare(making: Making): Promise<Sent>;
}

interface Making extends Shop {
  offering(): Promise<string>;
  sold(): Promise<string>;
  booked(packageId?: string): Promise<string>;
  done(sent: Sent): Promise<void>;
}

const rows: Row[] = [
  {
    operation: 'C5, D3: sell',
    appends: ['OfferingLocked', 'PackageSold', 'InvoiceIssued'],
    prepare: async (making) => sale(making, await making.offering()),
  },
  {
    operation: 'D1: sell from an appointment',
    appends: ['OfferingLocked', 'PackageSold', 'InvoiceIssued', 'AppointmentLinkedToSale'],
    prepare: async (making) => sale(making, await making.offering(), { appointmentId: await making.booked() }),
  },
  {
    operation: 'D1, E9: sell and apply to the appointment',
    appends: ['OfferingLocked', 'PackageSold', 'InvoiceIssued', 'AppointmentLinkedToSale', 'PackageApplied', 'InvoiceReissued'],
    prepare: async (making) => sale(making, await making.offering(), { appointmentId: await making.booked(), applyToAppointment: true }),
  },
  {
    operation: 'E2, E4: book from a package',
    appends: ['SessionConsumed', 'AppointmentBooked', 'InvoiceIssued'],
    prepare: async (making) => booking(making, await making.sold()),
  },
  {
    operation: 'E4: book at the regular fee',
    appends: ['AppointmentBooked', 'InvoiceIssued'],
    prepare: async (making) => booking(making),
  },
  {
    operation: 'H2, E9: cancel, and the session is returned',
    appends: ['AppointmentCancelled', 'SessionReturned', 'InvoiceAdjustedToZero'],
    prepare: async (making) => cancellation(await making.booked(await making.sold())),
  },
  {
    operation: 'H2: cancel, and the session is forfeited',
    appends: ['AppointmentCancelled', 'SessionForfeited'],
    prepare: async (making) => cancellation(await making.booked(await making.sold()), { session: 'forfeited' }),
  },
  {
    operation: 'H1, E9: no-show, and the session is returned',
    appends: ['AppointmentMarkedNoShow', 'SessionReturned', 'InvoiceAdjustedToZero'],
    prepare: async (making) => noShow(await making.booked(await making.sold())),
  },
  {
    operation: 'H1: no-show, and the session is forfeited',
    appends: ['AppointmentMarkedNoShow', 'SessionForfeited'],
    prepare: async (making) => noShow(await making.booked(await making.sold()), { session: 'forfeited' }),
  },
  {
    operation: 'H1: undo a no-show whose session was returned',
    appends: ['SessionConsumed', 'NoShowUndone', 'InvoiceAdjustmentUndone'],
    prepare: async (making) => undone(making, await making.booked(await making.sold())),
  },
  {
    operation: 'H1: undo a no-show whose session was forfeited',
    appends: ['SessionForfeitUndone', 'NoShowUndone'],
    prepare: async (making) => undone(making, await making.booked(await making.sold()), { session: 'forfeited' }),
  },
  {
    operation: 'H1: undo a no-show without a package',
    appends: ['NoShowUndone', 'InvoiceAdjustmentUndone'],
    prepare: async (making) => undone(making, await making.booked()),
  },
  {
    operation: 'H4: cancel a package',
    appends: ['PackageCancelled'],
    prepare: async (making) => packageCancellation(await making.sold()),
  },
];

const undone = async (making: Making, appointmentId: string, how: object = {}): Promise<Sent> => {
  await making.done(noShow(appointmentId, how));
  return noShowUndone(appointmentId);
};

/** The guards are appended by the API itself, whoever carries out the policies. */
const GUARDS: Record<string, string[]> = { OfferingLocked: ['OfferingLocked', 'PackageSold'] };
const guardsOf = ({ appends }: Row): string[] => GUARDS[appends[0]!] ?? [appends[0]!];
const followUpsOf = (row: Row): string[] => row.appends.slice(guardsOf(row).length);

/** Where the API dies: around every append; else once nothing follows yet, and once a part does. */
const gapsOf = (row: Row): string[] => {
  if (soak) return row.appends.flatMap((type) => [`before:${type}`, `after:${type}`]);
  return [
    `before:${row.appends[0]}`,
    ...guardsOf(row).map((type) => `after:${type}`),
    ...followUpsOf(row)
      .slice(0, 1)
      .map((type) => `after:${type}`),
  ];
};

/** A service with one mode, and what its tests have in common. */
function inMode(policies: PolicyMode) {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let fleet: Fleet;
  let shop: Shop;
  const url = () => fleet.apis[0]!.url;

  beforeAll(async () => {
    database = await createDatabase();
    fleet = await startFleet({ databaseUrl: database.url, policies });
    shop = await openShop(fleet.desk, url());
  });
  afterAll(async () => {
    await fleet?.stop();
    await database?.drop();
  });

  const making = (): Making => {
    const { get } = fleet.desk;
    const offering = async () => (await get(url(), paidEach(shop))).offeringId!;
    return {
      ...shop,
      offering,
      sold: async () => (await get(url(), sale(shop, await offering()))).packageId!,
      booked: async (packageId) => {
        const { appointmentId } = await get(url(), booking(shop, packageId));
        await until(async () => (await fleet.reader.store.readStream(`appointment-${appointmentId}`)).length > 0, 'it is booked');
        return appointmentId!;
      },
      done: async (sent) => void (await get(url(), sent)),
    };
  };

  return {
    fleet: () => fleet,
    prepared: (row: Row) => row.prepare(making()),
    settled: () => settled(fleet, policies),
    url,
    /** What was appended because of a request, by whomever. */
    effect: async ({ correlationId }: { correlationId: string }): Promise<string[]> => {
      const { events } = await wholeHistory(fleet.reader);
      return events.filter(({ metadata }) => metadata.$correlationId === correlationId).map(({ type }) => type);
    },
  };
}

/** Everything was carried out, and all streams and read models agree. */
async function settled(fleet: Fleet, policies: PolicyMode): Promise<Recorded[]> {
  const { reader, pool } = fleet;
  const here = policies === 'api' ? 'elsewhere' : 'here';
  await until(async () => isUpTo(pool, await reader.store.lastPosition(), here), 'the projector is up to date');
  const { stored, events } = await wholeHistory(reader);
  expect(disagreements(events)).toEqual([]);
  expect(brokenChains(stored)).toEqual([]);
  expect(await readModelDifferences(pool, events)).toEqual([]);
  const { rows: parked } = await pool.query('SELECT policy, stream, parked FROM policies.todo WHERE parked IS NOT NULL');
  expect(parked).toEqual([]);
  return events;
}

/** A sale is one append of two events when it takes a session for the appointment. */
const eventsOf = ({ appends }: Row): string[] =>
  appends.flatMap((type) => (type === 'PackageSold' && appends.includes('PackageApplied') ? [type, 'SessionConsumed'] : [type])).sort();

const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/g;

/** An answer but for what is different each time: ids by the order in which they appear, and no times. */
function shapeOf(answer: object): string {
  const ids: string[] = [];
  const numbered = (id: string) => {
    if (!ids.includes(id)) ids.push(id);
    return `id ${ids.indexOf(id)}`;
  };
  const { position: _, ...rest } = answer as { position?: string };
  return JSON.stringify(rest, undefined, 1).replaceAll(ID, numbered);
}

describe.each(['both', 'api'] as const)('the API dies, policies: %s', (policies) => {
  const { fleet, prepared, effect, settled: allSettled, url } = inMode(policies);

  async function dies(row: Row, failpoint: string): Promise<{ died: string; answer: string; again: string; events: string[] }> {
    const [sent, key, doomed] = [await prepared(row), newKey(), fleet().doomed('apps/api/main.js', failpoint)];
    await doomed.start();
    const died = fleet()
      .desk.send(doomed.url, sent, key)
      .then(
        ({ status }) => `it answered ${status}`,
        () => 'no answer',
      );
    await doomed.ended();
    const begun = (await effect(key)).some((type) => type !== 'OfferingLocked');
    if (begun && policies !== 'api')
      await until(
        async () => (await effect(key)).length === eventsOf(row).length,
        `${row.operation} is complete after ${failpoint}`,
        HEALS_WITHIN,
      );

    const answer = await fleet().desk.get<object>(url(), sent, key);
    const again = await fleet().desk.get<object>(url(), sent, key);
    await expectKnownIds(answer);
    return { died: await died, answer: shapeOf(answer), again: shapeOf(again), events: (await effect(key)).sort() };
  }

  /** An answer names nothing that never happened. */
  async function expectKnownIds(answer: object): Promise<void> {
    const { events } = await wholeHistory(fleet().reader);
    const known = new Set(JSON.stringify(events.map(({ data }) => data)).match(ID));
    expect((JSON.stringify(answer).match(ID) ?? []).filter((id) => !known.has(id))).toEqual([]);
  }

  it.each(rows)(
    '$operation: complete or never, and once when sent again',
    async (row) => {
      const control = shapeOf(await fleet().desk.get<object>(url(), await prepared(row)));
      const gaps = policies === 'both' || soak ? gapsOf(row) : [`after:${guardsOf(row).at(-1)}`];
      const limit = pLimit(AT_ONCE);
      await Promise.all(
        gaps.map((failpoint) =>
          limit(async () => {
            const outcome = await dies(row, failpoint);
            expect({ failpoint, ...outcome }).toEqual({
              failpoint,
              died: 'no answer',
              answer: control,
              again: control,
              events: eventsOf(row),
            });
          }),
        ),
      );
    },
    120_000,
  );

  it('E9, H3, K3: no session without its appointment, no invoice that disagrees, nothing parked', async () => {
    await allSettled();
  });
});
