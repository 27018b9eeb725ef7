import pLimit from 'p-limit';
import { serviceWith, type Key, type Making } from '../support/faults.js';
import { newKey, until, type Sent } from '../support/fleet.js';
import {
  booking,
  cancellation,
  deletion,
  noShow,
  noShowUndone,
  packageCancellation,
  packageRefund,
  reinstating,
  paidEach,
  restoration,
  sale,
} from '../support/shop.js';

// Each row of docs/operations-over-streams.md: the process that carries it out is killed between any two appends. Afterwards the operation is
// complete or never happened, and the same request, sent again, has one effect. All deaths before and after each append with SOAK=1.

const soak = Boolean(process.env.SOAK);
const AT_ONCE = 3;
const PATIENCE = soak ? 900_000 : 180_000; // ms for a test, most of it for processes to start
const HEALS_WITHIN = 15_000; // ms: the projector takes over after 2 s, on a machine that does much else

interface Row {
  operation: string; // begins with the rules that it shows
  /** What the operation appends, in all streams together, its guards first. */
  appends: string[];
  /** Not only when all is tried: it also dies before its guard has said yes. */
  alsoBefore?: true;
  /** What goes before; gives the request. */
  prepare(making: Making): Promise<Sent>;
}

const rows: Row[] = [
  {
    operation: 'C1, C8: define an offering',
    appends: ['OfferingDefined', 'OfferingListed'],
    prepare: async (making) => paidEach(making),
  },
  {
    operation: 'C7, C8: delete an offering',
    appends: ['OfferingDeleted', 'OfferingUnlisted'],
    prepare: async (making) => deletion(await making.offering()),
  },
  {
    operation: 'C7, C8: restore an offering',
    appends: ['OfferingRestored', 'OfferingRelisted'],
    prepare: async (making) => {
      const offeringId = await making.offering();
      await making.done(deletion(offeringId));
      return restoration(offeringId);
    },
  },
  {
    operation: 'C5, D3: sell',
    alsoBefore: true,
    appends: ['OfferingLocked', 'PackageSold', 'InvoiceIssued'],
    prepare: async (making) => sale(making, await making.offering()),
  },
  {
    operation: 'D2: sell with a payment',
    appends: ['OfferingLocked', 'PackageSold', 'InvoiceIssued', 'PaymentReceived'], // the last two at once: what is owing is never more
    prepare: async (making) =>
      sale(making, await making.offeringPaidUpfront(), { payment: { amount: { amount: 15_000, currency: 'CAD' }, method: 'cash' } }),
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
    alsoBefore: true,
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
    alsoBefore: true,
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
  {
    operation: 'H4: cancel a package, and write off what is unpaid',
    appends: ['PackageCancelled', 'InvoiceAdjusted'],
    prepare: async (making) => packageCancellation(await making.soldUpfront(), { unpaid: 'writeOff' }),
  },
  {
    operation: 'H4: cancel a package, and what is booked moves to the regular fee',
    appends: ['PackageCancelled', 'InvoiceReissued', 'PackageRemoved', 'SessionReturned'],
    prepare: async (making) => {
      const packageId = await making.sold();
      await making.booked(packageId);
      return packageCancellation(packageId, { appointments: 'regularFee' });
    },
  },
  {
    operation: 'H4: reinstate a package, and what was written off is owing',
    appends: ['PackageReinstated', 'InvoiceAdjusted'],
    prepare: async (making) => {
      const packageId = await making.soldUpfront();
      await making.done(packageCancellation(packageId, { unpaid: 'writeOff' }));
      return reinstating(packageId);
    },
  },
  {
    operation: 'H5: refund a package',
    appends: ['PackageRefunded', 'InvoiceRefunded'],
    prepare: async (making) => {
      const packageId = await making.soldUpfront();
      await making.done(packageCancellation(packageId));
      return packageRefund(packageId, 5_000);
    },
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

/** Where the projector dies, unless every place is tried. */
const FEW_DEATHS = [
  'before:OfferingUnlisted',
  'after:AppointmentBooked',
  'before:InvoiceIssued',
  'before:PackageApplied',
  'after:SessionReturned',
  'before:NoShowUndone',
  'after:InvoiceAdjustmentUndone',
  'before:InvoiceAdjusted',
  'after:InvoiceRefunded',
];

/** Where the API dies: around every append; else once nothing follows yet, once a part does, and, of some, before all. */
const gapsOf = (row: Row): string[] => {
  if (soak) return row.appends.flatMap((type) => [`before:${type}`, `after:${type}`]);
  const guard = guardsOf(row).at(-1);
  const some = [`after:${guard}`, ...followUpsOf(row).map((type) => `after:${type}`)].slice(0, 2);
  return row.alsoBefore ? [`before:${guard}`, ...some] : some;
};

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

type Service = ReturnType<typeof serviceWith>;

/** What an operation answers when nothing goes wrong. */
const control = async ({ fleet, url, making }: Service, row: Row): Promise<string> =>
  shapeOf(await fleet().desk.get<object>(url(), await row.prepare(making())));

/** What came of it once it was sent again, twice. An answer names nothing that never happened. */
async function sentAgain({ fleet, url, effect, history }: Service, sent: Sent, key: Key) {
  const answer = await fleet().desk.get<object>(url(), sent, key);
  const again = await fleet().desk.get<object>(url(), sent, key);
  const known = new Set(JSON.stringify((await history()).map(({ data }) => data)).match(ID));
  expect((JSON.stringify(answer).match(ID) ?? []).filter((id) => !known.has(id))).toEqual([]);
  return { answer: shapeOf(answer), again: shapeOf(again), events: (await effect(key)).sort() };
}

describe.each(['both', 'api'] as const)('the API dies, policies: %s', (policies) => {
  const service = serviceWith(policies);

  async function dies(row: Row, dyingAt: string) {
    const { send, effect, making } = service;
    const [sent, key] = [await row.prepare(making()), newKey()];
    const died = await send(sent, key, { dyingAt });
    const begun = (await effect(key)).some((type) => type !== 'OfferingLocked');
    if (begun && policies === 'both')
      await until(
        async () => (await effect(key)).length === eventsOf(row).length,
        `${row.operation} is complete after ${dyingAt}`,
        HEALS_WITHIN,
      );
    return { died, ...(await sentAgain(service, sent, key)) };
  }

  it.each(policies === 'both' || soak ? rows : rows.filter((row) => followUpsOf(row).length > 1))(
    '$operation: complete or never, and once when sent again',
    async (row) => {
      const answer = await control(service, row);
      const gaps = policies === 'both' || soak ? gapsOf(row) : [`after:${guardsOf(row).at(-1)}`];
      const limit = pLimit(AT_ONCE);
      const outcomes = await Promise.all(gaps.map((gap) => limit(async () => ({ gap, ...(await dies(row, gap)) }))));
      expect(outcomes).toEqual(gaps.map((gap) => ({ gap, died: 'no answer', answer, again: answer, events: eventsOf(row) })));
    },
    PATIENCE,
  );

  it('E9, H3, K3: no session without its appointment, no invoice that disagrees, nothing parked', () => service.settled(), PATIENCE);
});

describe('the projector dies, policies: projector', () => {
  const service = serviceWith('projector');
  const { fleet, url, effect, making, settled } = service;
  const followUps = [...new Set(rows.flatMap(followUpsOf))];
  const deaths = soak ? followUps.flatMap((type) => [`before:${type}`, `after:${type}`]) : FEW_DEATHS;

  it.each(deaths)(
    'E2, E9, H1, H3: %s, while it carries out what follows: all of it is complete, and once',
    async (dyingAt) => {
      const concerned = rows.filter((row) => followUpsOf(row).includes(dyingAt.split(':')[1]!));
      const given = await Promise.all(
        concerned.map(async (row) => ({ row, answer: await control(service, row), sent: await row.prepare(making()), key: newKey() })),
      );
      await settled();
      const [projector] = fleet().projectors;
      await projector!.kill();
      for (const { sent, key } of given) await fleet().desk.get(url(), sent, key);

      const doomed = fleet().doomed('apps/projector/main.js', dyingAt);
      await doomed.start();
      await doomed.ended();
      await projector!.start();
      for (const { row, sent, key, answer } of given) {
        await until(async () => (await effect(key)).length === eventsOf(row).length, `${row.operation} is complete`, HEALS_WITHIN);
        expect(await sentAgain(service, sent, key)).toEqual({ answer, again: answer, events: eventsOf(row) });
      }
      await settled();
    },
    PATIENCE,
  );
});
