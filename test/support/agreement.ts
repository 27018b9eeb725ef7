import { isDeepStrictEqual } from 'node:util';
import { appointment, type BookedAppointment } from '../../libs/domain/appointment/appointment.state.js';
import type { InvoiceNumbersEvent } from '../../libs/domain/invoice-numbers/invoice-numbers.events.js';
import { invoiceNumbersOf, yearOf } from '../../libs/domain/invoice-numbers/invoice-numbers.js';
import type { InvoiceEvent } from '../../libs/domain/invoice/invoice.events.js';
import { invoice, type IssuedInvoice } from '../../libs/domain/invoice/invoice.state.js';
import type { Aggregate, AnyEvent, Recorded } from '../../libs/domain/kernel/event.js';
import { offeringList, type OfferingListState } from '../../libs/domain/offering-list/offering-list.state.js';
import { offering, type DefinedOffering } from '../../libs/domain/offering/offering.state.js';
import { usesIn } from '../../libs/domain/package/explanation.js';
import type { PackageEvent } from '../../libs/domain/package/package.events.js';
import {
  packageAggregate,
  pendingOf,
  refundedOf,
  standing,
  type Session,
  type SoldPackage,
} from '../../libs/domain/package/package.state.js';
import { explainSale, SALES_FIGURES } from '../../libs/domain/package/sale-explanation.js';
import { purchase, type StartedPurchase } from '../../libs/domain/purchase/purchase.state.js';
import { series, type SeriesState } from '../../libs/domain/series/series.js';
import { fold } from '../../libs/projection-engine/fold.js';
import { packageSales, type PackageSalesRow } from '../../projections/package-sales.projection.js';
import { packageUsage, type PackageUsageRow } from '../../projections/package-usage.projection.js';
import { byStream } from './afresh.js';

// What holds over several streams once all that follows has followed (docs/operations-over-streams.md).

interface Streams {
  packages: Map<string, SoldPackage>;
  appointments: Map<string, BookedAppointment>;
  invoices: Map<string, IssuedInvoice>;
  offerings: Map<string, DefinedOffering>;
  lists: Map<string, OfferingListState>;
  series: Map<string, SeriesState>;
  purchases: Map<string, StartedPurchase>;
}

/** Where streams disagree with each other. Empty: nowhere. */
export function disagreements(events: readonly Recorded[]): string[] {
  const streams: Streams = {
    packages: statesOf(packageAggregate, events) as Streams['packages'],
    appointments: statesOf(appointment, events) as Streams['appointments'],
    invoices: statesOf(invoice, events) as Streams['invoices'],
    offerings: statesOf(offering, events) as Streams['offerings'],
    lists: statesOf(offeringList, events),
    series: statesOf(series, events),
    purchases: statesOf(purchase, events) as Streams['purchases'],
  };
  const sales = (events as Recorded<PackageEvent>[]).filter((event) => event.type === 'PackageSold');
  const reported = fold(packageSales, new Map<string, PackageSalesRow>(), events);
  const used = fold(packageUsage, new Map<string, PackageUsageRow>(), events);
  const histories = byStream(events);
  return [
    ...[...streams.offerings.values()].flatMap((offered) => ofOffering(offered, streams)),
    ...sales.flatMap((sale) => ofSale(sale, streams, events)),
    ...[...streams.packages.values()].flatMap((sold) => ofPackage(sold, streams)),
    ...[...streams.packages.values()].flatMap((sold) => ofReport(sold, reported.get(sold.packageId), streams)),
    ...sales.flatMap((sale) => ofExplanations(sale, histories, reported, used)),
    ...[...streams.series.values()].flatMap((planned) => ofSeries(planned, streams)),
    ...[...streams.appointments.values()].flatMap((booked) => ofAppointment(booked, streams)),
    ...[...streams.invoices.values()].flatMap((issued) => ofInvoice(issued)),
    ...[...streams.purchases.values()].flatMap((started) => ofPurchase(started, streams)),
    ...[...streams.invoices.values()].flatMap((issued) => ofCards(issued, streams)),
    ...ofNumbers(events),
  ];
}

/** C7, C8: a list knows it, has it in one place, and knows whether it is deleted. */
function ofOffering({ offeringId, deleted }: DefinedOffering, { lists }: Streams): string[] {
  const list = [...lists.values()].find(({ asOf }) => asOf.has(offeringId))?.list;
  const places = list && [list.ungrouped, ...list.categories.map(({ offeringIds }) => offeringIds)].flat();
  return said(`offering ${offeringId}`, {
    'it is not in one place of the list': places?.filter((id) => id === offeringId).length !== 1,
    'the list does not know whether it is deleted': list?.deleted.includes(offeringId) !== deleted,
  });
}

type Sale = Recorded<Extract<PackageEvent, { type: 'PackageSold' }>>;

/** C5, D1, D3: the offering was locked first; the invoice is there, and the appointment says so. */
function ofSale({ data, position }: Sale, { offerings, invoices }: Streams, events: readonly Recorded[]): string[] {
  const { packageId, offeringId, appointmentId } = data;
  const locks = events.filter(({ type, stream }) => type === 'OfferingLocked' && stream === `offering-${offeringId}`);
  const links = events.filter(
    (event) => event.type === 'AppointmentLinkedToSale' && (event.data as { packageId: string }).packageId === packageId,
  );
  return said(`package ${packageId}`, {
    'its offering is not locked': !offerings.get(offeringId)?.locked,
    'it was sold before its offering was locked': locks.some((lock) => lock.position > position),
    'it has no invoice of its total': invoices.get(data.invoice.invoiceId)?.total.amount !== data.charge.total.amount,
    'it is not linked once': links.length !== (appointmentId === null ? 0 : 1),
  });
}

/** E2: what remains follows from the sessions that stand; each session from its appointment. */
function ofPackage(sold: SoldPackage, { appointments, invoices }: Streams): string[] {
  const counts = [...sold.services.values()].flatMap(({ serviceId, limit, adjustments, remaining, used }) => {
    const stand = standing(sold).filter((session) => session.serviceId === serviceId).length;
    return said(`package ${sold.packageId}, service ${serviceId}`, {
      'remaining is not limit + adjustments − standing': remaining !== (limit === 'unlimited' ? null : limit + adjustments - stand),
      'used is not what stands': used !== stand,
      'remaining is below 0': remaining !== null && remaining < 0,
    });
  });
  const sessions = [...sold.sessions.values()].flatMap((session) =>
    said(`session ${session.consumptionId} of appointment ${session.appointmentId}`, {
      [`it is ${session.outcome} otherwise than its appointment`]: !fits(session, appointments.get(session.appointmentId)),
    }),
  );
  return [...counts, ...sessions, ...ofRefunds(sold, invoices.get(sold.invoiceId))];
}

/** H5, H6: what the package knows of its refunds is what its invoice knows. */
function ofRefunds(sold: SoldPackage, issued: IssuedInvoice | undefined): string[] {
  if (!issued) return []; // said of its sale already
  return said(`package ${sold.packageId}`, {
    'more or less of it was refunded than of its invoice': refundedOf(sold).amount !== issued.refunded.amount,
    'more or less of it waits for Stripe than of its invoice': pendingOf(sold).amount !== issued.pending.amount,
    'it knows of other disputes than its invoice': sold.disputes.length !== issued.disputes.length,
  });
}

/** J2, J5: what is reported of a sale is what its package and its invoice say of it, and it adds up. */
function ofReport(sold: SoldPackage, row: PackageSalesRow | undefined, { invoices }: Streams): string[] {
  const issued = invoices.get(sold.invoiceId);
  if (!row || !issued) return said(`package ${sold.packageId}`, { 'it is in no report of sales': !row }); // the invoice is said of its sale
  const { total, adjustments, paid, refunded, outstanding } = row;
  const { left, remaining, expiresOn, cancelled } = row;
  const unlike = (own: unknown, its: unknown): boolean => !isDeepStrictEqual(own, its);
  const counts = [...sold.services.values()].map((service) => service.remaining);
  const sums = [issued.total, issued.adjustments, issued.paid, issued.refunded, issued.balance].map(({ amount }) => amount);
  return said(`package ${sold.packageId} in the report of sales`, {
    'outstanding is not total + adjustments − paid + refunded': outstanding !== total + adjustments - paid + refunded,
    'other amounts than on its invoice': unlike([total, adjustments, paid, refunded, outstanding], sums),
    'more or less is refunded than of the package': refunded !== refundedOf(sold).amount,
    'another number of sessions is left': unlike(
      left.map((service) => service.remaining),
      counts,
    ),
    'what is left is not their sum': remaining !== (counts.includes(null) ? null : counts.reduce((sum, count) => sum! + count!, 0)),
    'it ends on another day': expiresOn !== sold.expiresOn,
    'it is cancelled there or here, not both': cancelled !== (sold.status === 'cancelled'),
    'another owner, offering or day': unlike([row.clientId, row.offeringId, row.soldOn], [sold.clientId, sold.offeringId, sold.soldOn]),
  });
}

/** J2, J3, K1: what is reported of a sale, and of each use of it, is what their events add up to. */
function ofExplanations(
  { stream, data }: Sale,
  histories: Map<string, Recorded[]>,
  reported: Map<string, PackageSalesRow>,
  used: Map<string, PackageUsageRow>,
): string[] {
  const sold = histories.get(stream) as Recorded<PackageEvent>[];
  const invoiced = (histories.get(`invoice-${data.invoice.invoiceId}`) ?? []) as Recorded<InvoiceEvent>[];
  const row = { packages: 1, ...reported.get(data.packageId) };
  const wrong = SALES_FIGURES.filter(
    (figure) => explainSale(sold, invoiced, figure).reduce((sum, { adds }) => sum + adds!, 0) !== row[figure],
  );
  const uses = usesIn(sold);
  return said(`package ${data.packageId} explained`, {
    [`its events come to another ${wrong.join(', ')} than is reported`]: wrong.length > 0,
    'a use of it has another effect than is reported': uses.some(({ entryId, adds }) => used.get(entryId)?.effect !== adds.effect),
  });
}

function fits({ outcome, consumptionId }: Session, booked: BookedAppointment | undefined): boolean {
  const isItsOwn = booked?.consumptionId === consumptionId;
  switch (outcome) {
    case 'standing':
      return isItsOwn && booked.outcome === null;
    case 'forfeited':
      return isItsOwn && booked.outcome === 'forfeited';
    case 'returned':
      return booked !== undefined && (!isItsOwn || booked.outcome === 'returned');
    default:
      return outcome satisfies never;
  }
}

/** E5: all of it is booked, each with the session that was planned, or nothing of it. */
function ofSeries(state: SeriesState, { packages, appointments }: Streams): string[] {
  if (state.status === 'none') return [];
  const { seriesId, packageId, occurrences } = state.plan;
  const booked = occurrences.filter(({ appointmentId }) => appointments.get(appointmentId)?.seriesId === seriesId);
  const sessions = packageId === null ? undefined : packages.get(packageId)?.sessions;
  const taken = occurrences.filter(({ consumptionId }) => consumptionId !== null && sessions?.has(consumptionId));
  const wanted = state.status === 'refused' ? [] : occurrences;
  return said(`series ${seriesId}`, {
    'it is neither booked nor refused': state.status === 'planned',
    [`${booked.length} of its ${wanted.length} appointments are booked`]: booked.length !== wanted.length,
    'it has other sessions than were planned': taken.length !== wanted.filter(({ consumptionId }) => consumptionId !== null).length,
  });
}

/** E4, E9: an appointment has the session that it says, and an invoice over what it costs, at zero if it was returned. */
function ofAppointment(booked: BookedAppointment, { packages, invoices }: Streams): string[] {
  const session = booked.packageId === null ? undefined : packages.get(booked.packageId)?.sessions.get(booked.consumptionId!);
  const issued = invoices.get(booked.invoiceId);
  return said(`appointment ${booked.appointmentId} (${booked.status})`, {
    'it has a session that no package gave': booked.packageId !== null && !session,
    'it has no invoice': !issued,
    'its session is at another time or by another provider':
      session?.outcome === 'standing' && (['start', 'end', 'providerId'] as const).some((which) => session[which] !== booked[which]),
    'its invoice is over another package than it uses':
      issued !== undefined && booked.outcome === null && issued.packageId !== booked.packageId,
    'its invoice is of another amount than its session': session !== undefined && issued?.total.amount !== session.charge.total.amount,
    'its invoice is at zero otherwise than it was returned':
      issued !== undefined && (issued.toZero !== null) !== (booked.outcome === 'returned'),
    'something is owing for what was returned': (issued?.toZero ?? null) !== null && issued!.balance.amount > 0,
  });
}

/** D2, H4, J2: what is owing follows from what was charged, paid and given back; nothing of it is more than there was. */
function ofInvoice({ invoiceId, total, adjustments, paid, refunded, pending, balance, payments, refunds }: IssuedInvoice): string[] {
  const standing = payments.filter(({ voided }) => !voided).reduce((sum, { amount }) => sum + amount.amount, 0);
  const given = (by: string): number =>
    refunds.reduce((sum, { status, source, amount }) => (status === 'succeeded' && source === by ? sum + amount.amount : sum), 0);
  const [byUs, atStripe] = [given('staff'), given('stripe')]; // what is done there is a fact (H6)
  return said(`invoice ${invoiceId}`, {
    'its balance is not total + adjustments − paid + refunded':
      balance.amount !== total.amount + adjustments.amount - paid.amount + refunded.amount,
    'what is paid is not the sum of its payments': paid.amount !== standing,
    'more is refunded than was paid, by our rules': byUs + pending.amount > paid.amount,
    'what is refunded is not the sum of its refunds': refunded.amount !== byUs + atStripe,
    'more or less than all of it is taken off': adjustments.amount > 0 || total.amount + adjustments.amount < 0,
  });
}

/** I4, D2: what is paid is there once, with its payment; of what is not paid there is nothing. */
function ofPurchase(
  { purchaseId, status, sale, invoiceId, paymentId, amount }: StartedPurchase,
  { packages, invoices, offerings }: Streams,
): string[] {
  const payments = (invoices.get(invoiceId)?.payments ?? []).filter((payment) => payment.paymentId === paymentId);
  const isPaid = status === 'paid';
  return said(`purchase ${purchaseId} (${status})`, {
    'its package is there otherwise than it is paid': sale !== null && packages.has(sale.packageId) !== isPaid,
    'its offering is not locked': sale !== null && !offerings.get(sale.offeringId)?.locked,
    [`${payments.length} payments of it`]: payments.length !== (isPaid ? 1 : 0),
    'its payment is of another amount': payments.some((payment) => payment.amount.amount !== amount.amount || payment.method !== 'stripe'),
  });
}

/** H6: each payment through Stripe is of a purchase that is paid. */
function ofCards({ invoiceId, payments }: IssuedInvoice, { purchases }: Streams): string[] {
  const strange = payments.filter(({ method, purchaseId }) => method === 'stripe' && purchases.get(purchaseId ?? '')?.status !== 'paid');
  return said(`invoice ${invoiceId}`, { 'a payment through Stripe is of no purchase': strange.length > 0 });
}

/** D3: in each year of a business the numbers go from 1 on without a gap, one for each invoice, in the order in which they were issued. */
function ofNumbers(events: readonly Recorded[]): string[] {
  const issued = (events as Recorded<InvoiceEvent>[]).filter((event) => event.type === 'InvoiceIssued') as Issued[];
  const wanted = byStream(
    issued.map(({ data: { invoiceId, issuedOn }, metadata: { business }, position }) => ({
      ...{ stream: invoiceNumbersOf(business, yearOf(issuedOn)), invoiceId, through: String(position) },
    })),
  );
  const numbered = byStream((events as Recorded<InvoiceNumbersEvent>[]).filter((event) => event.type === 'InvoiceNumbered'));
  return [...new Set([...wanted.keys(), ...numbered.keys()])].flatMap((stream) => {
    const [invoices, numbers] = [wanted.get(stream) ?? [], numbered.get(stream) ?? []];
    return said(stream, {
      [`${numbers.length} numbers for ${invoices.length} invoices`]: numbers.length !== invoices.length,
      'a number is missing or there twice': numbers.some(({ data, revision }, n) => data.number !== n + 1 || revision !== BigInt(n)),
      'its numbers are not in the order of the invoices': numbers.some(
        ({ data }, n) => data.invoiceId !== invoices[n]?.invoiceId || data.through !== invoices[n].through,
      ),
    });
  });
}

type Issued = Recorded<Extract<InvoiceEvent, { type: 'InvoiceIssued' }>>;

const said = (about: string, wrong: Record<string, boolean>): string[] =>
  Object.entries(wrong).flatMap(([what, isSo]) => (isSo ? [`${about}: ${what}`] : []));

const statesOf = <State, Event extends AnyEvent>(aggregate: Aggregate<State, Event>, events: readonly Recorded[]): Map<string, State> => {
  const prefix = `${aggregate.category}-`;
  const own = byStream(events.filter(({ stream }) => stream.startsWith(prefix)));
  return new Map(
    [...own].map(([stream, history]) => [
      stream.slice(prefix.length),
      (history as unknown as Event[]).reduce((state, event) => aggregate.evolve(state, event), structuredClone(aggregate.initial)),
    ]),
  );
};
