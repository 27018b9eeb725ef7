import { existing as issued } from '../../domain/invoice/invoice.decisions.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import { minutesBetween } from '../../domain/kernel/calendar.js';
import type { Recorded } from '../../domain/kernel/event.js';
import { pick } from '../../domain/kernel/pick.js';
import { Refusal } from '../../domain/kernel/refusal.js';
import { isOffered } from '../../domain/offering/offering.decisions.js';
import { offering } from '../../domain/offering/offering.state.js';
import { existing, giveUp, hearOfCheckout, isUnderWay, neverOpened } from '../../domain/purchase/purchase.decisions.js';
import type { PurchaseEvent } from '../../domain/purchase/purchase.events.js';
import {
  purchase,
  purchaseView,
  type ExpiredBecause,
  type PurchaseView,
  type StartedPurchase,
} from '../../domain/purchase/purchase.state.js';
import { StripeNotAllowed, StripeRefused, type Checkout } from '../../payments/at-stripe.js';
import { CommandOf, type Caller, type Versioned } from '../command.js';
import { cardsOf, Operation, versioned, type Parts } from '../operation.js';
import { byStripe } from './by-stripe.js';
import { isOfAnother, ownAccount } from './own-account.js';
import { reconcilePayment } from './refunds.js';

// What has become of a checkout is asked at Stripe and brought in, whoever noticed that there is something to ask: who opened it, a webhook,
// or the clerk. Each time it is a command of its own, which changes nothing if nothing is new.

/** `amiss`: what Stripe says is not of the purchase to which it leads. Nothing is booked; somebody has to look. */
export type Outcome = 'broughtIn' | 'notOurs' | 'amiss';

interface Hearing {
  purchaseId: string;
  stripeAccount: string; // that was asked
  checkout: Checkout;
  because?: ExpiredBecause; // unless told, it follows from the time and the offering
}

class HearOfCheckout extends CommandOf<Hearing, PurchaseView> {}
class LookAtPurchase extends CommandOf<{ purchaseId: string }, PurchaseView> {}
class GiveUpOpening extends CommandOf<{ purchaseId: string }, PurchaseView> {}

/** Asks Stripe what has become of a checkout, and brings that in; once it is paid, also what has become of the payment: whoever told of that may have been faster. */
export const reconcileCheckout = async (parts: Parts, stripeAccount: string, checkoutId: string): Promise<Outcome> => {
  const checkout = await cardsOf(parts).checkout(stripeAccount, checkoutId);
  if (checkout.purchase === null) return 'notOurs';
  const { businessId, purchaseId } = checkout.purchase;
  const command = new HearOfCheckout(byStripe(businessId), { purchaseId, stripeAccount, checkout });
  const outcome = await outcomeOf(hear(new Operation(parts, command.caller, command), command.input));
  const { status, paymentIntentId } = checkout;
  if (outcome !== 'broughtIn' || status !== 'paid' || paymentIntentId === null) return outcome;
  return reconcilePayment(parts, stripeAccount, paymentIntentId);
};

/**
 * Asks Stripe to open the checkout of a purchase, once however often it is asked, and notes it.
 * @throws Refusal CHECKOUT_NOT_OPENED when Stripe will not
 */
export const openCheckout = async (operation: Operation, started: StartedPurchase): Promise<Versioned<PurchaseView>> => {
  const { purchaseId, stripeAccount } = started;
  const caller = withoutRepeat(operation.caller);
  try {
    await ownAccount(operation.cards, caller.business, stripeAccount);
    const checkout = await operation.cards.openCheckout(stripeAccount, { businessId: caller.business, ...started });
    const command = new HearOfCheckout(caller, { purchaseId, stripeAccount, checkout });
    return await hear(operation.another(command), command.input);
  } catch (error) {
    if (!(error instanceof StripeRefused) && !isOfAnother(error)) throw error;
    const over = operation.another(new GiveUpOpening(caller, { purchaseId }));
    await over.decide(purchase, purchaseId, neverOpened(purchaseId), { fresh: true });
    throw notOpened(error.message, started);
  }
};

export const notOpened = (why: string, { purchaseId, sale }: StartedPurchase): Refusal =>
  new Refusal(NOT_OPENED, `Stripe did not open a checkout, and nothing was ${sale ? 'sold' : 'paid'}: ${why}`, { purchaseId });

export const isNotOpened = (error: unknown): error is Refusal => error instanceof Refusal && error.code === NOT_OPENED;

const NOT_OPENED = 'CHECKOUT_NOT_OPENED';

/** Its checkout can no longer be paid, unless it was before: then it is paid. One that has none yet gets it first, so that none stays unknown. */
export const expireCheckout = async (
  operation: Operation,
  started: StartedPurchase,
  because: ExpiredBecause,
): Promise<Versioned<PurchaseView>> => {
  const { purchaseId, stripeAccount } = started;
  if (started.checkout === null) await openCheckout(operation, started);
  const newest = existing(await operation.newest(purchase, purchaseId), purchaseId);
  if (newest.checkout === null) return operation.shown(purchase, purchaseId, purchaseView); // it was over before it was opened
  const expired = await operation.cards.expireCheckout(stripeAccount, newest.checkout.checkoutId);
  const command = new HearOfCheckout(withoutRepeat(operation.caller), { purchaseId, stripeAccount, checkout: expired, because });
  return hear(operation.another(command), command.input);
};

/**
 * Carries on what is left of a purchase: what has no checkout gets one, what is no longer on offer, or owing, can no longer be paid, and of all others it is
 * asked what has become of them.
 */
export const lookAtPurchase = async (parts: Parts, business: string, purchaseId: string): Promise<Outcome> => {
  const command = new LookAtPurchase(byStripe(business), { purchaseId });
  const operation = new Operation(parts, command.caller, command);
  const state = await operation.newest(purchase, purchaseId);
  if (state.status === 'none' || !isUnderWay(state)) return 'broughtIn';
  try {
    return await carryOn(parts, operation, state);
  } catch (error) {
    if (!(error instanceof StripeRefused || error instanceof StripeNotAllowed)) throw error;
    const { events } = await operation.decide(purchase, purchaseId, giveUp({ purchaseId, now: operation.now }), { fresh: true });
    if (events.length === 0) throw error;
    return 'broughtIn';
  }
};

const carryOn = async (parts: Parts, operation: Operation, state: StartedPurchase): Promise<Outcome> => {
  const because = state.status === 'started' ? await whyWithdrawn(operation, state) : null;
  if (because) return outcomeOf(expireCheckout(operation, state, because));
  if (state.checkout === null) return outcomeOf(openCheckout(operation, state));
  return reconcileCheckout(parts, state.stripeAccount, state.checkout.checkoutId);
};

/** Is what is bought no longer on offer (I4), or the invoice paid otherwise (D2)? */
const whyWithdrawn = async (operation: Operation, { sale, invoiceId }: StartedPurchase): Promise<ExpiredBecause | null> => {
  if (sale) return isOffered(await operation.newest(offering, sale.offeringId)) ? null : 'offeringUnavailable';
  return issued(await operation.newest(invoice, invoiceId), invoiceId).balance.amount > 0 ? null : 'nothingOwing';
};

const hear = async (operation: Operation, { purchaseId, stripeAccount, checkout, because }: Hearing): Promise<Versioned<PurchaseView>> => {
  const { today } = await operation.business();
  const heard = { purchaseId, stripeAccount, ...pick(checkout, 'checkoutId', 'status', 'url', 'expiresAt', 'amount', 'paymentIntentId') };
  const decide = hearOfCheckout({ ...heard, today, because: because ?? (await whyExpired(operation, purchaseId, checkout)) });
  const heardNow = await operation.decide(purchase, purchaseId, decide, { fresh: true, view: purchaseView });
  if (checkout.status === 'paid' && heardNow.events.length === 0) await operation.settled(purchase, purchaseId, { such: isPaid }); // whoever heard it first may have died of it
  return versioned(heardNow);
};

/** One that nobody paid ends by itself; before that, somebody ended it. */
const whyExpired = async (operation: Operation, purchaseId: string, { status, expiresAt }: Checkout): Promise<ExpiredBecause> => {
  if (status !== 'expired' || minutesBetween(operation.now, expiresAt) < CLOCKS_DIFFER) return 'abandoned';
  const started = existing(await operation.newest(purchase, purchaseId), purchaseId);
  return (await whyWithdrawn(operation, started)) ?? 'calledOff';
};

const CLOCKS_DIFFER = 1; // minutes

const outcomeOf = async (hearing: Promise<unknown>): Promise<Outcome> => {
  try {
    await hearing;
    return 'broughtIn';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'NOT_AS_STARTED') return 'amiss';
    if (error.code === 'NOT_FOUND') return 'notOurs';
    if (isNotOpened(error)) return 'broughtIn'; // that it is over
    throw error;
  }
};

const isPaid = ({ type }: Recorded<PurchaseEvent>): boolean => type === 'PurchasePaid';

/** What is a part of a request is no repeat of it. */
const withoutRepeat = ({ business, actor, clientId, correlationId }: Caller): Caller => ({ business, actor, clientId, correlationId });
