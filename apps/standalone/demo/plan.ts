import { withTaxes } from '../../../libs/domain/kernel/money.js';
import {
  CancelAppointment,
  BookAppointment,
  CompleteAppointment,
  MarkNoShow,
  type BookingInput,
} from '../../../libs/command-handling/commands/appointment.commands.js';
import type { PaymentInput } from '../../../libs/command-handling/commands/invoice.commands.js';
import { UndoNoShow } from '../../../libs/command-handling/commands/standing-again.commands.js';
import { CancelPackage } from '../../../libs/command-handling/commands/package-ending.commands.js';
import { AdjustExpiry, AdjustRemaining, SellPackage } from '../../../libs/command-handling/commands/package.commands.js';
import type { CommandOf } from '../../../libs/command-handling/command.js';
import type { DemoInfo } from '../demo.js';
import { CLIENTS, CLINIC, LINKS, offerings, PROVIDERS, SERVICES, TAXES, type PlannedOffering } from './clinic.js';
import { seeded, type Chance } from './chance.js';
import { setUp } from './set-up.js';
import { callerWith, clientId, DEMO_BUSINESS, idOf, offeringId, providerId, serviceId, taxId, type Step } from './step.js';

// The whole demo, worked out before the first command is given: the same plan each time for the same first day, so that
// a load that was killed goes on where it was.

const DAY = 24 * 3_600_000;

export const DAYS = 183;
const SALES = 300;
const BOOKINGS = 2_000;

export interface Plan {
  steps: Step[];
  info: DemoInfo;
}

/**
 * @param firstDay midnight UTC of the first of the six months, in ms
 * @param stripeAccount through which the clinic's clients buy online, if they do
 */
export const planOf = (firstDay: number, stripeAccount?: string): Plan => {
  const chance = seeded(20_270_131);
  const lastDay = new Date(firstDay + (DAYS + 120) * DAY).toISOString().slice(0, 10);
  const kinds = offerings(lastDay);
  const sales = plannedSales(chance, firstDay, kinds);
  const bookings = plannedBookings(chance, firstDay, sales);
  const steps = [
    ...setUp(firstDay + 12 * 3_600_000, kinds, stripeAccount),
    ...sales.map((sale) => sale.step),
    ...bookings.flatMap(({ steps }) => steps),
    ...adjustments(chance, sales, kinds),
  ];
  return { steps: steps.sort((a, b) => a.at - b.at || compare(a.what, b.what)), info: toTryOn(sales, bookings) };
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Sale {
  n: number;
  day: number;
  client: number;
  kind: number;
  packageId: string;
  left: Map<number, number>; // service → sessions that the plan has not used
  step: Step;
}

const plannedSales = (chance: Chance, firstDay: number, kinds: PlannedOffering[]): Sale[] =>
  Array.from({ length: SALES }, (_, n) => {
    const day = Math.floor((n / SALES) * (DAYS - 1));
    const client = chance.below(CLIENTS.length);
    const kind = n < kinds.length ? n : chance.below(kinds.length);
    const key = `sale/${n}`;
    const input = {
      clientId: clientId(client),
      offeringId: offeringId(kind),
      appointmentId: null,
      applyToAppointment: false,
      externalReference: null,
      payment: paid(n, kinds[kind]!),
    };
    const step = { at: firstDay + day * DAY + 14 * 3_600_000, what: 'sales', command: new SellPackage(callerWith(key), input) };
    const left = new Map(kinds[kind]!.services.map(([service, limit]) => [service, limit === 'unlimited' ? 12 : limit]));
    return { n, day, client, kind, packageId: idOf(key, 'package'), left, step };
  });

/** Most is paid at once, some in part, some later. */
const paid = (n: number, { fee }: PlannedOffering): PaymentInput | null => {
  if (fee === undefined || n % 5 === 4) return null;
  const currency = CLINIC.currency;
  const { total } = withTaxes(
    { amount: fee, currency },
    TAXES.map((tax, i) => ({ ...tax, taxId: taxId(i) })),
  );
  const amount = n % 5 === 3 ? Math.trunc(total.amount / 2) : total.amount;
  return n % 2 === 0
    ? { amount: { amount, currency }, method: 'cardTerminal', reference: null }
    : { amount: { amount, currency }, method: 'bankTransfer', reference: `transfer ${1000 + n}` };
};

interface PlannedBooking {
  appointmentId: string;
  packageId: string | null;
  start: number;
  steps: Step[];
}

/** Most from a package that the client has by then, some without; each booked a few days ahead, then it takes place or not. */
const plannedBookings = (chance: Chance, firstDay: number, sales: Sale[]): PlannedBooking[] => {
  const end = firstDay + DAYS * DAY;
  return Array.from({ length: BOOKINGS }, (_, n) => {
    const madeOn = Math.floor((n / BOOKINGS) * (DAYS - 1)) + 1;
    const made = firstDay + Math.min(madeOn, DAYS - 1) * DAY + 15 * 3_600_000;
    const start = firstDay + (madeOn + chance.between(1, 12)) * DAY + chance.between(13, 22) * 3_600_000;
    const sale = chance.isTrue(0.85) ? usable(chance, sales, madeOn) : undefined;
    const service = sale ? chance.oneOf([...sale.left].filter(([, left]) => left > 0).map(([id]) => id)) : chance.below(SERVICES.length);
    sale?.left.set(service, sale.left.get(service)! - 1);
    const client = sale ? (n % 3 === 0 ? sharerOf(sale.client) : sale.client) : chance.below(CLIENTS.length);
    const givers = PROVIDERS.flatMap(({ services }, provider) => (services.includes(service) ? [provider] : []));
    const key = `booking/${n}`;
    const input: BookingInput = {
      ...{ clientId: clientId(client), serviceId: serviceId(service), providerId: providerId(chance.oneOf(givers)) },
      ...{ start: new Date(start).toISOString(), end: null, packageId: sale?.packageId ?? null, externalReference: null },
    };
    const instead = sale && new BookAppointment(callerWith(`${key}/regular`), { ...input, packageId: null });
    const book: Step = { at: made, what: 'bookings', command: new BookAppointment(callerWith(key), input), instead };
    const appointmentId = idOf(key, 'appointment');
    return { appointmentId, packageId: input.packageId, start, steps: [book, ...outcome(chance, n, appointmentId, start, end)] };
  });
};

/** Somebody in the family who may use this client's packages, or else the client. */
const sharerOf = (owner: number): number => LINKS.find(({ client, gives }) => client === owner && gives.usePackages)?.other ?? owner;

/** A package sold some days before and not long ago, so that it is still valid. */
const usable = (chance: Chance, sales: Sale[], day: number): Sale | undefined => {
  const able = sales.filter((sale) => sale.day < day && sale.day > day - 70 && [...sale.left.values()].some((left) => left > 0));
  return able.length > 0 ? chance.oneOf(able) : undefined;
};

/** What became of an appointment is noted in the evening of its day. */
const outcome = (chance: Chance, n: number, appointmentId: string, start: number, end: number): Step[] => {
  const evening = Math.floor(start / DAY) * DAY + 23 * 3_600_000;
  const key = `booking/${n}`;
  const turn = chance.below(100);
  const noted = (command: CommandOf<unknown, unknown>, at = evening, what = 'visits'): Step => ({ at, what, command });
  if (evening >= end) return [];
  if (turn < 84) return [noted(new CompleteAppointment(callerWith(`${key}/complete`), { appointmentId }))];
  if (turn < 92) {
    const cancel = { appointmentId, session: null, reason: chance.oneOf(['ill', 'travelling', null]), requestedBy: 'client' as const };
    return [noted(new CancelAppointment(callerWith(`${key}/cancel`), cancel), evening - DAY)];
  }
  const noShow = noted(new MarkNoShow(callerWith(`${key}/no-show`), { appointmentId, session: null, reason: null }));
  if (turn < 98) return [noShow];
  return [
    noShow,
    noted(new UndoNoShow(callerWith(`${key}/undo`), { appointmentId, regularFee: false }), evening + 1_800_000, 'second thoughts'),
  ];
};

const adjustments = (chance: Chance, sales: Sale[], kinds: PlannedOffering[]): Step[] =>
  sales.flatMap(({ n, step, packageId, kind }): Step[] => {
    const at = step.at + chance.between(1, 5) * DAY;
    const [service, limit] = kinds[kind]!.services[0]!;
    if (n % 20 === 7 && limit !== 'unlimited') {
      const input = { packageId, serviceId: serviceId(service), to: limit + 1, reason: 'one more, with our thanks' };
      return [{ at, what: 'adjustments', command: new AdjustRemaining(callerWith(`adjust/${n}`), input) }];
    }
    if (n % 40 === 13) {
      const to = new Date(at + 365 * DAY).toISOString().slice(0, 10);
      return [
        { at, what: 'adjustments', command: new AdjustExpiry(callerWith(`expiry/${n}`), { packageId, to, reason: 'was away for long' }) },
      ];
    }
    if (n % 100 === 51)
      return [
        {
          at,
          what: 'adjustments',
          command: new CancelPackage(callerWith(`cancel/${n}`), { packageId, appointments: 'stay', unpaid: 'owing', reason: 'moved away' }),
        },
      ];
    return [];
  });

/** The last package without expiry of which sessions are left, and an appointment that is still to come. */
const toTryOn = (sales: Sale[], bookings: PlannedBooking[]): DemoInfo => {
  const sale = sales.findLast(({ kind, left, n }) => kind === 0 && left.get(0)! >= 2 && n % 100 !== 51)!;
  const coming = bookings.findLast(({ packageId, steps }) => packageId !== null && steps.length === 1)!;
  return {
    ...{ businessId: DEMO_BUSINESS, clientId: clientId(sale.client), offeringId: offeringId(0), packageId: sale.packageId },
    ...{ serviceId: serviceId(0), providerId: providerId(0), appointmentId: coming.appointmentId },
  };
};
