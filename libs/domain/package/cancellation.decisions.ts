import { refundInvoice } from '../invoice/invoice.decisions.js';
import { regularFeeInvoice } from '../invoice/invoice-content.js';
import type { InvoiceEvent, RefundOutcome } from '../invoice/invoice.events.js';
import { refundIn, type IssuedInvoice } from '../invoice/invoice.state.js';
import { minus, sum, type Tax } from '../kernel/money.js';
import { pick } from '../kernel/pick.js';
import { Refusal } from '../kernel/refusal.js';
import type { Money, PaymentMethod } from '../kernel/shapes.js';
import { existing, type DecidePackage } from './package.decisions.js';
import { pendingOf, refundedOf, standing, type Cancellation, type Session, type SoldPackage } from './package.state.js';

// H4, H5: the end of a package, what is given back of it, and its new beginning.

export interface CancelPackage extends Pick<Cancellation, 'appointments' | 'unpaid'> {
  packageId: string;
  reason: string | null;
  adjustmentId: string; // of the write-off, if there is one
  now: string;
  today: string; // local date of the business
  prices: ReadonlyMap<string, { price: Money; taxes: readonly Tax[] }>; // of the package's services as they are now
}

/**
 * H4: it can no longer be booked from. Appointments already booked from it stay as they are, or those not yet started
 * move to the regular fee; what is unpaid stays owing, or is written off.
 */
export const cancelPackage =
  ({ packageId, reason, ...how }: CancelPackage): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const { clientId, invoiceId, cancellation } = sold;
    if (cancellation) return cancelledBefore(cancellation, how);
    const { adjustmentId, ...said } = how;
    const moving = said.appointments === 'regularFee' ? notStarted(sold, said.now) : [];
    return [
      {
        type: 'PackageCancelled',
        data: {
          ...{ packageId, clientId, reason, ...pick(said, 'appointments', 'unpaid') },
          writeOff: said.unpaid === 'writtenOff' ? { invoiceId, adjustmentId } : null,
          toRegularFee: moving.map((session) => ({ consumptionId: session.consumptionId, invoice: regularFee(sold, session, said) })),
        },
      },
    ];
  };

/** The opposite of cancelling, as long as nothing was given back. */
export const reinstatePackage =
  ({ packageId, reason }: { packageId: string; reason: string | null }): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const { clientId, cancellation } = sold;
    if (!cancellation) return [];
    const [refunded, pending] = [refundedOf(sold), pendingOf(sold)];
    if (pending.amount > 0)
      throw new Refusal('REFUND_PENDING', 'A refund of this package waits for Stripe: reinstate it if that fails.', { pending });
    if (refunded.amount > 0)
      throw new Refusal('PACKAGE_REFUNDED', 'This package was refunded, wholly or in part: sell another one instead.', { refunded });
    return [{ type: 'PackageReinstated', data: { packageId, clientId, writeOff: cancellation.writeOff, reason } }];
  };

export interface RefundPackage {
  packageId: string;
  refundId: string;
  amount: Money;
  outcome: RefundOutcome;
  method: PaymentMethod;
  reference: string | null;
  notes: string | null;
  refundedOn: string; // local date of the business
  invoice: IssuedInvoice; // of the package, as it was read a moment ago
}

/**
 * H4, H5: of a cancelled package, never more than was paid and not yet refunded, and one refund after the other. What its
 * invoice would say no to is refused here already.
 */
export const refundPackage =
  ({ packageId, invoice, ...refund }: RefundPackage): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const { clientId, invoiceId, currency } = sold;
    const { refundId, amount } = refund;
    if (isKnown(sold, refundId)) return [];
    assertRefundable(sold, invoice);
    const tax = sum(currency, taxOf(refundInvoice({ invoiceId, ...refund })(invoice)));
    const refunded = sum(currency, [refundedOf(sold), amount]);
    const after = { refunded, pending: pendingOf(sold) };
    return [{ type: 'PackageRefunded', data: { packageId, clientId, invoiceId, ...refund, source: 'staff', tax, ...after } }];
  };

export const isKnown = ({ refunds }: SoldPackage, refundId: string): boolean => refunds.some((known) => known.refundId === refundId);

/** Whatever it is refunded through. */
export const assertRefundable = (sold: SoldPackage, invoice: IssuedInvoice): void => {
  const { packageId } = sold;
  if (sold.status !== 'cancelled')
    throw new Refusal('PACKAGE_NOT_CANCELLED', 'A package is refunded once it is cancelled: cancel it first, then refund it.', {
      packageId,
    });
  if (underWay(sold, invoice))
    throw new Refusal('REFUND_UNDER_WAY', 'Another refund of this package is under way: look at it, then send this one again.', {
      packageId,
    });
};

export interface RefuseRefund {
  packageId: string;
  refundId: string;
  because: 'invoice' | 'stripe';
  failure: string | null; // in Stripe's word
}

/** Its invoice said no, or Stripe did (H6): nothing was given back. */
export const refuseRefund =
  ({ packageId, refundId, ...why }: RefuseRefund): DecidePackage =>
  (state) => {
    const sold = existing(state, packageId);
    const refund = sold.refunds.find((known) => known.refundId === refundId && known.status !== 'failed');
    if (!refund) return [];
    const { clientId, invoiceId } = sold;
    const { amount, status } = refund;
    const [refunded, pending] = [refundedOf(sold), pendingOf(sold)];
    const after = status === 'pending' ? { refunded, pending: minus(pending, amount) } : { refunded: minus(refunded, amount), pending };
    return [{ type: 'PackageRefundRefused', data: { packageId, clientId, invoiceId, refundId, amount, ...why, ...after } }];
  };

/** A forfeited one has ended. */
const notStarted = (sold: SoldPackage, now: string): Session[] =>
  standing(sold).filter(({ outcome, start }) => outcome === 'standing' && start > now);

/** A repeat is nothing; to cancel it in another way, it has to be there again. */
const cancelledBefore = (before: Cancellation, { appointments, unpaid }: Pick<Cancellation, 'appointments' | 'unpaid'>): [] => {
  if (before.appointments === appointments && before.unpaid === unpaid) return [];
  throw new Refusal('PACKAGE_CANCELLED', 'This package was cancelled in another way: reinstate it, then cancel it as you wish.', {
    ...pick(before, 'appointments', 'unpaid'),
  });
};

const regularFee = (sold: SoldPackage, session: Session, { prices, today }: Pick<CancelPackage, 'prices' | 'today'>) => {
  const { price, taxes } = prices.get(session.serviceId)!;
  const { name: serviceName } = sold.services.get(session.serviceId)!;
  return regularFeeInvoice({ ...session, serviceName, issuedOn: today }, price, taxes);
};

const taxOf = (follows: InvoiceEvent[]): Money[] => follows.flatMap((event) => (event.type === 'InvoiceRefunded' ? [event.data.tax] : []));

/** The invoice does not know of it yet. */
const underWay = ({ refunds }: SoldPackage, invoice: IssuedInvoice): boolean =>
  refunds.some(({ refundId, status }) => status !== 'failed' && !refundIn(invoice, refundId));
