import canonicalize from 'canonicalize';
import pLimit from 'p-limit';
import { ID, placesOf, serviceWith, type Doomed, type Key, type Making } from '../support/faults.js';
import { newKey, until, type Sent } from '../support/fleet.js';
import {
  applying,
  booking,
  bookingOfSeries,
  cancellation,
  deletion,
  moving,
  noShow,
  noShowUndone,
  packageCancellation,
  packageRefund,
  rebooking,
  reinstating,
  paidEach,
  removal,
  restoration,
  sale,
} from '../support/shop.js';

// Each row of docs/operations-over-streams.md: the process that carries it out is killed between any two appends. Afterwards the operation is
// complete or never happened, and the same request, sent again, has one effect. All deaths before and after each append with SOAK=1. One API
// dies of many rows at once, each cut off at its own place and in a business of its own: most of the time goes into starting processes.

const soak = Boolean(process.env.SOAK);
const AT_ONCE = 6;
const PATIENCE = soak ? 3_600_000 : 900_000; // ms, most of it for processes to start
const HEALS_WITHIN = 120_000; // ms: the projector takes over after 2 s, on a machine that does much else

interface Row {
  operation: string; // begins with the rules that it shows
  /** What the operation appends, in all streams together, its guards first; of several that are one append, the one to die at. */
  appends: string[];
  /** What it appends beside those: in the same append, or several times. */
  besides?: string[];
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
    besides: ['SessionConsumed'],
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
    operation: 'H1, E9: undo a no-show, at the regular fee',
    appends: ['NoShowUndone', 'InvoiceReissued'],
    prepare: async (making) => undone(making, await making.booked(await making.sold()), { again: { regularFee: true } }),
  },
  {
    operation: 'H1: undo a no-show without a package',
    appends: ['NoShowUndone', 'InvoiceAdjustmentUndone'],
    prepare: async (making) => undone(making, await making.booked()),
  },
  {
    operation: 'H2, E9: book a cancelled appointment again, with another session',
    appends: ['SessionConsumed', 'AppointmentRebooked', 'InvoiceAdjustmentUndone'],
    prepare: async (making) => rebooking(await cancelled(making, await making.booked(await making.sold()))),
  },
  {
    operation: 'H2: book a cancelled appointment again, with the session that was forfeited',
    appends: ['SessionForfeitUndone', 'AppointmentRebooked'],
    prepare: async (making) => rebooking(await cancelled(making, await making.booked(await making.sold()), { session: 'forfeited' })),
  },
  {
    operation: 'H2, E9: book a cancelled appointment again, at the regular fee',
    appends: ['AppointmentRebooked', 'InvoiceReissued'],
    prepare: async (making) => rebooking(await cancelled(making, await making.booked(await making.sold())), { regularFee: true }),
  },
  {
    operation: 'H2, E9: book a cancelled appointment again, without a package',
    appends: ['AppointmentRebooked', 'InvoiceAdjustmentUndone'],
    prepare: async (making) => rebooking(await cancelled(making, await making.booked())),
  },
  {
    operation: 'E5: book a series',
    appends: ['SeriesPlanned', 'SeriesTaken', 'AppointmentBooked', 'InvoiceIssued', 'SeriesBooked'],
    besides: ['SessionConsumed', 'SessionConsumed', ...twice('AppointmentBooked'), ...twice('InvoiceIssued')],
    prepare: async (making) => bookingOfSeries(making, await making.sold({ services: [{ serviceId: making.serviceId, limit: 2 }] }), 3),
  },
  {
    operation: 'E7: move an appointment, with its session',
    appends: ['SessionMoved', 'AppointmentMoved'],
    prepare: async (making) => moving(await making.booked(await making.sold()), 3),
  },
  {
    operation: 'E7, E9: move an appointment to where its package is not valid, at the regular fee',
    appends: ['InvoiceReissued', 'PackageRemoved', 'SessionReturned'],
    besides: ['AppointmentMoved'],
    prepare: async (making) => moving(await making.booked(await making.sold(validForDays(3))), 9, { onInvalid: 'regularFee' }),
  },
  {
    operation: 'E7: move an appointment without a package',
    appends: ['AppointmentMoved'],
    prepare: async (making) => moving(await making.booked(), 3),
  },
  {
    operation: 'E8, E9: apply a package',
    appends: ['SessionConsumed', 'PackageApplied', 'InvoiceReissued'],
    prepare: async (making) => applying(await making.booked(), await making.sold()),
  },
  {
    operation: 'E8, E9: remove a package',
    appends: ['InvoiceReissued', 'PackageRemoved', 'SessionReturned'],
    prepare: async (making) => removal(await making.booked(await making.sold())),
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

const undone = async (
  making: Making,
  appointmentId: string,
  { again, ...how }: { session?: 'forfeited'; again?: object } = {},
): Promise<Sent> => {
  await making.done(noShow(appointmentId, how));
  return noShowUndone(appointmentId, again);
};

const cancelled = async (making: Making, appointmentId: string, how: object = {}): Promise<string> => {
  await making.done(cancellation(appointmentId, how));
  return appointmentId;
};

const validForDays = (amount: number) => ({ expiryRule: { kind: 'after', from: 'purchase', amount, unit: 'days' } });

function twice(type: string): string[] {
  return [type, type];
}

/** The guards are appended by the API itself, whoever carries out the policies. */
const GUARDS: Record<string, string[]> = { OfferingLocked: ['OfferingLocked', 'PackageSold'] };
const guardsOf = ({ appends }: Row): string[] => GUARDS[appends[0]!] ?? [appends[0]!];
const followUpsOf = (row: Row): string[] => row.appends.slice(guardsOf(row).length);

/** Where the API dies: around every append; else once nothing has begun, once nothing follows yet, once a part does, and before the last does. */
const gapsOf = (row: Row): string[] => {
  if (soak) return row.appends.flatMap((type) => [`before:${type}`, `after:${type}`]);
  const [guard, follows] = [guardsOf(row).at(-1)!, followUpsOf(row)];
  const parts = follows.length > 1 ? [`after:${follows[0]}`, `before:${follows.at(-1)}`] : [];
  return [`before:${guard}`, `after:${guard}`, ...parts];
};

/** Where the projector dies: once something follows, or before the last does. */
const aGapOf = (row: Row, n: number): string => (n % 2 === 0 ? `after:${followUpsOf(row)[0]}` : `before:${followUpsOf(row).at(-1)}`);
const IN_ONE_GO = 8; // rows: the projector carries out 20 commands at once, and goes on when all of them are done
const STILL = 2_000; // ms without an event: all are cut off

const eventsOf = ({ appends, besides = [] }: Row): string[] => [...appends, ...besides].sort();

/** An answer but for what is different each time: ids by the order in which they appear, and no times. */
function shapeOf(answer: object): string {
  const ids: string[] = [];
  const numbered = (id: string) => {
    if (!ids.includes(id)) ids.push(id);
    return `id ${ids.indexOf(id)}`;
  };
  const { position: _, ...rest } = answer as { position?: string };
  return canonicalize(rest)!.replaceAll(ID, numbered); // an answer that was kept may name its fields in another order
}

const eachOf = async <One, Other>(ones: readonly One[], how: (one: One) => Promise<Other>): Promise<Other[]> => {
  const limit = pLimit(AT_ONCE);
  return Promise.all(ones.map((one) => limit(() => how(one))));
};

type Service = ReturnType<typeof serviceWith>;

/** What an operation answers when nothing goes wrong. */
const control = async ({ url }: Service, row: Row, making: Making): Promise<string> =>
  shapeOf(await making.desk.get<object>(url(), await row.prepare(making)));

/** What came of it once it was sent again, twice. An answer names nothing that never happened. */
async function sentAgain({ url, effect, invented }: Service, { desk, sent, key }: Omit<Doomed, 'dyingAt'>) {
  const answer = await desk.get<object>(url(), sent, key);
  const again = await desk.get<object>(url(), sent, key);
  expect(await invented(answer)).toEqual([]);
  return { answer: shapeOf(answer), again: shapeOf(again), events: (await effect(key)).sort() };
}

/** With what happened, and nothing more. */
const complete = ({ effect }: Service, row: Row, key: Key, when: string): Promise<void> =>
  until(async () => (await effect(key)).length === eventsOf(row).length, `${row.operation} is complete ${when}`, HEALS_WITHIN);

describe.each(['both', 'api'] as const)('the API dies, policies: %s', (policies) => {
  const service = serviceWith(policies);
  const tried = policies === 'both' || soak ? rows : rows.filter((row) => followUpsOf(row).length > 1);
  const gaps = (row: Row): string[] => (policies === 'both' || soak ? gapsOf(row) : [`after:${guardsOf(row).at(-1)}`]);
  const outcomes = new Map<Row, object[]>(tried.map((row) => [row, []]));
  const answers = new Map<Row, string>();

  /** Each row dies at its nth place, all in one API. */
  async function die(n: number, makings: ReadonlyMap<Row, Making>): Promise<void> {
    const dying = await eachOf(
      tried.filter((row) => gaps(row).length > n),
      async (row) => {
        const making = makings.get(row)!;
        return { row, desk: making.desk, sent: await row.prepare(making), key: newKey(), dyingAt: gaps(row)[n]! };
      },
    );
    const died = await service.sendAll(dying);
    await eachOf([...dying.entries()], async ([at, { row, dyingAt, ...doomed }]) => {
      const begun = (await service.effect(doomed.key)).some((type) => type !== 'OfferingLocked');
      if (begun && policies === 'both') await complete(service, row, doomed.key, `after dying ${dyingAt}`);
      outcomes.get(row)!.push({ dyingAt, died: died[at], ...(await sentAgain(service, doomed)) });
    });
  }

  beforeAll(async () => {
    const makings = new Map(await eachOf(tried, async (row) => [row, await service.makingElsewhere()] as const));
    await eachOf(tried, async (row) => answers.set(row, await control(service, row, makings.get(row)!)));
    for (let n = 0; tried.some((row) => gaps(row).length > n); n += 1) await die(n, makings);
  }, PATIENCE);

  it.each(tried)('$operation: complete or never, and once when sent again', (row) => {
    const answer = answers.get(row);
    expect(outcomes.get(row)).toEqual(
      gaps(row).map((dyingAt) => ({ dyingAt, died: 'no answer', answer, again: answer, events: eventsOf(row) })),
    );
  });

  it(
    'E9, H3, K3: no session without its appointment, no invoice that disagrees, nothing parked',
    () => service.settled(HEALS_WITHIN),
    PATIENCE,
  );
});

describe('the projector dies, policies: projector', () => {
  const service = serviceWith('projector');
  const { fleet, url } = service;
  const tried = rows.filter((row) => followUpsOf(row).length > 0);
  const gaps = new Map(tried.map((row, n) => [row, soak ? gapsOf({ ...row, appends: followUpsOf(row) }) : [aGapOf(row, n)]]));
  const outcomes = new Map<Row, object[]>(tried.map((row) => [row, []]));
  const answers = new Map<Row, string>();

  /** So many rows are begun while there is no projector; one that follows up is cut off in each of them, and dies. */
  async function die(dying: readonly (Doomed & { row: Row })[]): Promise<void> {
    await service.followed(HEALS_WITHIN);
    const [projector] = fleet().projectors;
    await projector!.kill();
    await eachOf(dying, ({ desk, sent, key }) => desk.get(url(), sent, key));
    const before = (await service.history()).length;
    const doomed = fleet().doomed('apps/projector/main.js', placesOf(dying));
    await doomed.start();
    await service.beyond(before, HEALS_WITHIN); // a machine that does much else starts it late
    await service.stillFor(STILL);
    await doomed.kill();
    await projector!.start();
    await eachOf(dying, async ({ row, dyingAt, ...sent }) => {
      await complete(service, row, sent.key, `after the projector died ${dyingAt}`);
      outcomes.get(row)!.push({ dyingAt, ...(await sentAgain(service, sent)) });
    });
  }

  beforeAll(async () => {
    const dying = await eachOf(tried, async (row) => {
      const making = await service.makingElsewhere();
      answers.set(row, await control(service, row, making));
      return eachOf(gaps.get(row)!, async (dyingAt) => ({
        row,
        desk: making.desk,
        sent: await row.prepare(making),
        key: newKey(),
        dyingAt,
      }));
    });
    const all = dying.flat();
    for (let n = 0; n < all.length; n += IN_ONE_GO) await die(all.slice(n, n + IN_ONE_GO));
  }, PATIENCE);

  it.each(tried)('$operation: what follows is complete, and once when sent again', (row) => {
    const answer = answers.get(row);
    expect(outcomes.get(row)).toEqual(gaps.get(row)!.map((dyingAt) => ({ dyingAt, answer, again: answer, events: eventsOf(row) })));
  });

  it(
    'E9, H3, K3: no session without its appointment, no invoice that disagrees, nothing parked',
    () => service.settled(HEALS_WITHIN),
    PATIENCE,
  );
});
