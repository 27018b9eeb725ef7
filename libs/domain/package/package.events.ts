import { z } from 'zod';
import { refundOutcome, refundSource } from '../invoice/invoice.events.js';
import { defineEvent, personal, type EventOf } from '../kernel/event.js';
import { charge, expiryRule, id, instant, invoiceContent, limit, localDate, paymentMethod, price, type Money } from '../kernel/shapes.js';

// What is stored for a package sold or assigned to a client. Stored for ever: add versions, never edit one.
// Events say what was decided, in absolutes (`remaining` and `expiresOn` after it), so that no fold needs a rule.

const about = z.object({ packageId: id, clientId: id }); // clientId: the owner
const remaining = z.int().nonnegative().nullable(); // null: unlimited
const expiresOn = localDate.nullable(); // last day on which a session can be used; null: does not expire
const reason = personal('clientId').nullable();

/** The terms as sold, which nothing changes any more. */
export const soldService = z.object({
  serviceId: id,
  name: z.string(),
  limit,
  price, // the service's price at the sale
  weight: z.int().nonnegative().nullable(), // its share in the package's value; null: one service is unlimited (H4)
  fee: price.nullable(), // paidEachAppointment: what each appointment is charged (C4)
});

export const PackageSold = defineEvent(
  'PackageSold',
  about.extend({
    offeringId: id,
    name: z.string(),
    description: z.string(),
    services: z.array(soldService).min(1),
    paymentMethod: z.enum(['paidUpfront', 'paidEachAppointment']),
    charge, // of the package itself: zero when each appointment is paid
    expiryRule,
    expiresOn,
    soldOn: localDate,
    timeZone: z.string(),
    channel: z.enum(['staff', 'online', 'import']),
    appointmentId: id.nullable(), // D1: the appointment from which it was sold
    purchaseId: id.nullable(), // I4: the online purchase
    invoice: invoiceContent,
    payment: z.object({ paymentId: id, amount: price, method: paymentMethod }).nullable(), // D2: taken with the sale
    paymentReference: personal('clientId').nullable(),
    externalReference: z.string().nullable(),
  }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as object), payment: null, paymentReference: null }) } },
);

/**
 * L7: it was sold elsewhere and is moved in, said in the same append as its sale. What was paid there is kept for the
 * records: no money was taken here.
 */
export const PackageImported = defineEvent(
  'PackageImported',
  about.extend({
    offeringId: id,
    source: z.string(), // from where it was moved in
    reference: z.string(), // its own there: with the source, it is imported once
    soldOn: localDate,
    remaining: z.array(z.object({ serviceId: id, remaining })).min(1), // sorted by service
    expiresOn, // as it was said; null: by the rule of the offering
    amountPaid: price.nullable(), // there; null: not known
  }),
);

const consumption = z.object({
  packageId: id,
  ownerId: id,
  clientId: id, // who uses it: the owner, or a linked client
  offeringId: id,
  packageName: z.string(),
  consumptionId: id, // an appointment can consume, return and consume again: each time another
  appointmentId: id,
  serviceId: id,
  serviceName: z.string(),
  remaining,
  used: z.int().nonnegative(), // sessions of this service that stand, after it
  expiresOn,
});

export const SessionConsumed = defineEvent(
  'SessionConsumed',
  consumption.extend({
    purpose: z.enum(['booking', 'series', 'application', 'noShowUndone', 'rebooking']),
    providerId: id,
    start: instant,
    end: instant,
    timeZone: z.string(),
    on: localDate,
    seriesId: id.nullable(), // E5
    charge, // for this appointment: zero when the package was paid upfront (C3, C4)
    invoiceId: id, // of the appointment
    invoice: invoiceContent.nullable(), // to issue because of this event; null: the one it has stands again
    externalReference: z.string().nullable(), // of the appointment
    replaces: id.nullable(), // the consumption in whose place it is taken: of a no-show that is undone, the one that was returned
  }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as object), replaces: null }) } },
);

/** E5: all sessions of a series were taken, in the same append. */
export const SeriesTaken = defineEvent('SeriesTaken', about.extend({ seriesId: id, sessions: z.int().positive() }));

/** E7: its appointment takes place at another time, or with another provider: one move, not a return and a new use. */
export const SessionMoved = defineEvent(
  'SessionMoved',
  consumption.extend({
    providerId: id,
    start: instant,
    end: instant,
    timeZone: z.string(),
    on: localDate,
    from: z.object({ providerId: id, start: instant, end: instant, on: localDate }),
    moves: z.int().positive(), // of this session, after it: of two moves at once, the appointment follows the later
  }),
);

export const SessionReturned = defineEvent(
  'SessionReturned',
  consumption.extend({
    because: z.enum(['cancelled', 'noShow', 'removed', 'refused']),
    invoice: invoiceContent.nullable(), // at the regular fee, to issue anew because of this event (E7, E8)
  }),
);

export const SessionForfeited = defineEvent('SessionForfeited', consumption.extend({ because: z.enum(['lateCancellation', 'noShow']) }));

/** A forfeited consumption stands as an ordinary one again. */
export const SessionForfeitUndone = defineEvent('SessionForfeitUndone', consumption);

export const RemainingAdjusted = defineEvent(
  'RemainingAdjusted',
  about.extend({
    offeringId: id,
    packageName: z.string(),
    serviceId: id,
    serviceName: z.string(),
    from: z.int().nonnegative(),
    to: z.int().nonnegative(),
    adjustments: z.int(), // all adjustments of this service together, after it
    reason,
  }),
);

const adjustments = z.int().nonnegative(); // of the expiry, that stand after it

export const ExpiryAdjusted = defineEvent('ExpiryAdjusted', about.extend({ from: expiresOn, to: localDate, adjustments, reason }));

/** Undoes the latest adjustment of the expiry. */
export const ExpiryRestored = defineEvent('ExpiryRestored', about.extend({ from: expiresOn, to: expiresOn, adjustments, reason }));

const writeOff = z.object({ invoiceId: id, adjustmentId: id });

/** H4. What becomes of appointments already booked from it, and of what is not paid yet. */
export const PackageCancelled = defineEvent(
  'PackageCancelled',
  about.extend({
    appointments: z.enum(['stay', 'regularFee']),
    unpaid: z.enum(['owing', 'writtenOff']),
    reason,
    writeOff: writeOff.nullable(), // of what is not paid of the package's invoice
    toRegularFee: z.array(z.object({ consumptionId: id, invoice: invoiceContent })), // sessions not yet started, if not paid by then
  }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as object), writeOff: null, toRegularFee: [] }) } },
);

/** The cancellation is undone, with its write-off; appointments that moved to the regular fee stay there. */
export const PackageReinstated = defineEvent('PackageReinstated', about.extend({ writeOff: writeOff.nullable(), reason }));

const refund = about.extend({
  invoiceId: id, // of the package
  refundId: id,
  amount: price,
  refunded: price, // all refunds of this package that stand, after it
});
const refundOrPending = refund.extend({ pending: price }); // all of them that Stripe has not confirmed yet, after it
const noneIsPending = (data: unknown) => ({ pending: { ...(data as { amount: Money }).amount, amount: 0 } });

/** H5, H7. The package decides, so that two refunds at once never exceed what was paid; its invoice follows. Through Stripe (H6) it follows itself. */
export const PackageRefunded = defineEvent(
  'PackageRefunded',
  refundOrPending.extend({
    tax: price, // the part of the amount that is tax
    outcome: refundOutcome,
    method: paymentMethod,
    reference: reason,
    notes: reason,
    refundedOn: localDate,
    source: refundSource,
  }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as object), source: 'staff', ...noneIsPending(data) }) } },
);

/** H6: of a payment through Stripe: the package has decided, its invoice keeps so much for it, and Stripe is asked. */
export const PackageRefundRequested = defineEvent(
  'PackageRefundRequested',
  refundOrPending.extend({ paymentId: id, outcome: refundOutcome, reference: reason, notes: reason, requestedOn: localDate }),
);

/**
 * Nothing was given back: its invoice said no, because a payment was voided meanwhile, or Stripe did, now or after it had succeeded (H6).
 * `failure`: why, in Stripe's word.
 */
export const PackageRefundRefused = defineEvent(
  'PackageRefundRefused',
  refundOrPending.extend({ because: z.enum(['invoice', 'stripe']), failure: z.string().nullable() }),
  { version: 2, upcast: { 1: (data) => ({ ...(data as object), because: 'invoice', failure: null, ...noneIsPending(data) }) } },
);

/** Whoever paid for it by card disputes that with their bank; told by its invoice. */
export const PackageDisputed = defineEvent(
  'PackageDisputed',
  about.extend({
    ...{ invoiceId: id, disputeId: z.string(), amount: price }, // disputeId: Stripe's own
    ...{ status: z.enum(['open', 'won', 'lost']), because: z.string(), disputedOn: localDate }, // because: Stripe's word
  }),
);

export const packageEvents = [
  PackageSold,
  PackageImported,
  SessionConsumed,
  SeriesTaken,
  SessionMoved,
  SessionReturned,
  SessionForfeited,
  SessionForfeitUndone,
  RemainingAdjusted,
  ExpiryAdjusted,
  ExpiryRestored,
  PackageCancelled,
  PackageReinstated,
  PackageRefunded,
  PackageRefundRequested,
  PackageRefundRefused,
  PackageDisputed,
] as const;
export type PackageEvent = EventOf<(typeof packageEvents)[number]>;
export type PackageSoldData = EventOf<typeof PackageSold>['data'];
export type PackageImportedData = EventOf<typeof PackageImported>['data'];
export type SoldService = z.infer<typeof soldService>;
