import { bringIn, settleRefund, type RefundAtStripe } from '../../domain/invoice/card-refunds.decisions.js';
import type { InvoiceEvent } from '../../domain/invoice/invoice.events.js';
import { invoice, refundIn, type InvoiceState, type IssuedInvoice } from '../../domain/invoice/invoice.state.js';
import type { Decide, Recorded } from '../../domain/kernel/event.js';
import { NotFound } from '../../domain/kernel/refusal.js';
import { existing } from '../../domain/purchase/purchase.decisions.js';
import type { PurchaseEvent } from '../../domain/purchase/purchase.events.js';
import { purchase, type StartedPurchase } from '../../domain/purchase/purchase.state.js';
import { StripeRefused, type CardPayment } from '../../payments/at-stripe.js';
import { CommandOf } from '../command.js';
import { cardsOf, Operation, type Parts } from '../operation.js';
import { byStripe } from './by-stripe.js';
import type { Outcome } from './checkouts.js';

// H6: money is given back at Stripe, once, and whatever has become of a payment there is asked and brought in, whoever noticed that there is
// something to ask: a webhook, or the clerk.

interface Hearing {
  purchaseId: string;
  stripeAccount: string; // that was asked
  payment: CardPayment;
}
interface PendingRefund {
  invoiceId: string;
  refundId: string;
}

class HearOfPayment extends CommandOf<Hearing, Outcome> {}
class CarryOutRefund extends CommandOf<PendingRefund, Outcome> {}

/** Asks Stripe what has become of a payment, and brings in all its refunds and disputes. */
export const reconcilePayment = async (parts: Parts, stripeAccount: string, paymentIntentId: string): Promise<Outcome> => {
  const payment = await cardsOf(parts).payment(stripeAccount, paymentIntentId);
  if (payment.purchase === null) return 'notOurs';
  const { businessId, purchaseId } = payment.purchase;
  const command = new HearOfPayment(byStripe(businessId), { purchaseId, stripeAccount, payment });
  const operation = new Operation(parts, command.caller, command);
  try {
    const paid = await paidPurchase(operation, command.input);
    if (typeof paid === 'string') return paid;
    return await hear(operation, paid, payment);
  } catch (error) {
    if (error instanceof NotFound) return 'notOurs';
    throw error;
  }
};

/** What was paid with it, if that is so: what leads to a purchase is written by whoever owns the account, and not believed by itself. */
const paidPurchase = async (
  operation: Operation,
  { purchaseId, stripeAccount, payment: { paymentIntentId } }: Hearing,
): Promise<StartedPurchase | Outcome> => {
  const started = existing(await operation.newest(purchase, purchaseId), purchaseId);
  if (started.stripeAccount !== stripeAccount) return 'amiss';
  if (started.status !== 'paid') return 'broughtIn'; // it is asked again once the payment is heard of
  return started.paymentIntentId === paymentIntentId ? started : 'amiss';
};

const hear = async (operation: Operation, paid: StartedPurchase, { refunds, disputes }: CardPayment): Promise<Outcome> => {
  if (refunds.length === 0 && disputes.length === 0) return 'broughtIn';
  const { purchaseId, invoiceId } = paid;
  const { today: on } = await operation.business();
  if (!(await isNoted(operation, paid))) await operation.settled(purchase, purchaseId, { such: isPaid });
  await decideOnSettled(operation, invoiceId, bringIn({ invoiceId, purchaseId, on, refunds, disputes }));
  return 'broughtIn';
};

/** Whether the invoice has the payment: it follows from the purchase, moments after. */
const isNoted = async (operation: Operation, { invoiceId, paymentId }: StartedPurchase): Promise<boolean> => {
  try {
    const issued = await operation.newest(invoice, invoiceId);
    return issued.status === 'issued' && issued.payments.some((payment) => payment.paymentId === paymentId);
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
};

/**
 * Gives back at Stripe what waits for it, once however often it is tried, and notes what Stripe says; what it does not know yet is asked again.
 * @throws StripeUnavailable: to be tried again, for ever
 */
export const carryOutRefund = async (parts: Parts, business: string, { invoiceId, refundId }: PendingRefund): Promise<Outcome> => {
  const command = new CarryOutRefund(byStripe(business), { invoiceId, refundId });
  const operation = new Operation(parts, command.caller, command);
  const issued = await operation.newest(invoice, invoiceId);
  const wanted = issued.status === 'issued' ? refundIn(issued, refundId) : undefined;
  if (wanted?.status !== 'pending') return 'broughtIn';
  const { purchaseId } = (issued as IssuedInvoice).payments.find(({ paymentId }) => paymentId === wanted.paymentId)!;
  const paid = existing(await operation.newest(purchase, purchaseId!), purchaseId!);
  const said = await askedFor(operation, paid, { refundId, amount: wanted.amount });
  const { today: on } = await operation.business();
  const decide = settleRefund({ invoiceId, purchaseId: purchaseId!, on, ...said });
  await decideOnSettled(await partOfRequest(operation, command), invoiceId, decide);
  return 'broughtIn';
};

/** What comes of it began with the request of whoever asked for it. */
const partOfRequest = async (operation: Operation, { caller, input }: CarryOutRefund): Promise<Operation> => {
  const asked = (await operation.history(invoice, input.invoiceId)).find(
    ({ type, data }) => type === 'InvoiceRefundRequested' && data.refundId === input.refundId,
  );
  const { correlationId } = caller;
  return operation.another(new CarryOutRefund({ ...caller, correlationId: asked?.metadata.$correlationId ?? correlationId }, input));
};

/**
 * What Stripe said before has reached the package when it is decided on what it says now: else a refund that failed after it had succeeded
 * could be told there before that it succeeded. Whoever heard it first may have died of it.
 */
const decideOnSettled = async (operation: Operation, invoiceId: string, decide: Decide<InvoiceState, InvoiceEvent>): Promise<void> => {
  for (let isSettled = false; !isSettled;) {
    const settled = await operation.settled(invoice, invoiceId, { such: isOfStripe });
    const ifSettled = (state: InvoiceState): InvoiceEvent[] => {
      isSettled = statusesIn(state) === statusesIn(settled);
      return isSettled ? decide(state) : [];
    };
    await operation.decide(invoice, invoiceId, ifSettled, { fresh: true });
  }
};

const statusesIn = (state: InvoiceState): string =>
  state.status === 'issued' ? state.refunds.map(({ refundId, status }) => `${refundId} ${status}`).join() : '';

/** What Stripe refuses, it does not do: the refund has failed before it began. */
const askedFor = async (
  { cards, caller: { business: businessId } }: Operation,
  { purchaseId, stripeAccount, paymentIntentId }: StartedPurchase,
  wanted: Pick<RefundAtStripe, 'amount'> & { refundId: string },
): Promise<RefundAtStripe> => {
  try {
    return await cards.refund(stripeAccount, { ...wanted, paymentIntentId: paymentIntentId!, businessId, purchaseId });
  } catch (error) {
    if (!(error instanceof StripeRefused)) throw error;
    return { ...wanted, stripeRefundId: null, status: 'failed', reason: error.code };
  }
};

const isPaid = ({ type }: Recorded<PurchaseEvent>): boolean => type === 'PurchasePaid';

const OF_STRIPE: ReadonlySet<string> = new Set(['InvoiceRefunded', 'InvoiceRefundFailed', 'InvoiceRefundReturned', 'InvoiceDisputed']);
const isOfStripe = ({ type }: Recorded<InvoiceEvent>): boolean => OF_STRIPE.has(type);
