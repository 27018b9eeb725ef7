import type Stripe from 'stripe';
import { refused } from './api/failure.js';
import { idOf } from './payments.js';
import type { Cause, Simulator } from './simulator.js';
import { newId } from './state/ids.js';

export interface RefundSaid {
  amount?: number; // without it, all that is left
  reason?: Stripe.Refund.Reason;
  metadata?: Stripe.Metadata;
}

/** Gives money of a charge back, as the simulator is told that refunds come out. Throws Stripe's refusals. */
export const refundCharge = (
  simulator: Simulator,
  account: string,
  charge: Stripe.Charge,
  said: RefundSaid,
  cause?: Cause,
): Stripe.Refund => {
  const { state, emit, now, behaviour } = simulator;
  const amount = said.amount ?? charge.amount - charge.amount_refunded;
  check(
    charge,
    amount,
    state.disputes.of(account).some((dispute) => dispute.charge === charge.id && dispute.status !== 'won'),
  );
  const { outcome, ms } = behaviour.refunds;
  if (outcome === 'refused')
    throw refused('Insufficient funds in your Stripe balance to refund this amount.', { code: 'balance_insufficient', param: 'amount' });

  const status = outcome === 'pendingThenSucceeded' || outcome === 'pendingThenFailed' ? 'pending' : outcome;
  const refund = state.refunds.put(account, newRefund(charge, amount, status === 'failed' ? 'pending' : status, said, now()));
  const left = { ...charge, amount_refunded: charge.amount_refunded + amount };
  const refunded = state.charges.put(account, { ...left, refunded: left.amount_refunded === left.amount });
  emit(account, 'refund.created', refund, cause);
  emit(account, 'charge.refunded', refunded, cause);
  if (status === 'failed') return settleRefund(simulator, account, refund, 'failed', cause);
  if (status === 'pending' && outcome !== 'pending')
    state.settlings.put(account, {
      ...{ id: refund.id, outcome: outcome === 'pendingThenSucceeded' ? 'succeeded' : 'failed', due: Date.now() + ms, done: false },
    });
  return refund;
};

const check = (charge: Stripe.Charge, amount: number, isChargedBack: boolean): void => {
  if (charge.refunded) throw refused(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' });
  if (isChargedBack) throw refused(`Charge ${charge.id} has been charged back; cannot issue a refund.`, { code: 'charge_disputed' });
  if (charge.status !== 'succeeded') throw refused(`Charge ${charge.id} has not succeeded: there is nothing to refund.`);
  if (amount < 1) throw refused('This value must be greater than or equal to 1.', { param: 'amount', code: 'parameter_invalid_integer' });
  const left = charge.amount - charge.amount_refunded;
  if (amount > left) throw refused(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`, { param: 'amount' });
};

const newRefund = (charge: Stripe.Charge, amount: number, status: string, said: RefundSaid, created: number) =>
  ({
    ...{ id: newId('re_3'), object: 'refund', amount, currency: charge.currency, created, status },
    ...{ charge: charge.id, payment_intent: charge.payment_intent, payment_method: null, customer: null, customer_account: null },
    ...{ reason: said.reason ?? null, metadata: said.metadata ?? {}, balance_transaction: newId('txn_3') },
    ...{ receipt_number: null, source_transfer_reversal: null, transfer_reversal: null },
    ...(status === 'pending' && { pending_reason: 'processing' }),
  }) satisfies Stripe.Refund;

/** What the bank says of a refund: it arrives, or it does not, also after all; then the money is the business's again. Nothing, if it was said before. */
export const settleRefund = (
  { state, emit }: Simulator,
  account: string,
  refund: Stripe.Refund,
  outcome: 'succeeded' | 'failed',
  cause?: Cause,
): Stripe.Refund => {
  if (refund.status !== 'pending' && (refund.status !== 'succeeded' || outcome === 'succeeded')) return refund;
  const { pending_reason: _, ...rest } = refund;
  if (outcome === 'succeeded') {
    const succeeded = state.refunds.put(account, { ...rest, status: 'succeeded' });
    emit(account, 'refund.updated', succeeded, cause);
    return succeeded;
  }
  const charge = state.charges.get(account, idOf(refund.charge))!;
  state.charges.put(account, { ...charge, amount_refunded: charge.amount_refunded - refund.amount, refunded: false });
  const failed = state.refunds.put(account, {
    ...{ ...rest, status: 'failed', failure_reason: 'lost_or_stolen_card', failure_balance_transaction: newId('txn_3') },
  });
  emit(account, 'refund.updated', failed, cause);
  emit(account, 'refund.failed', failed, cause);
  return failed;
};

/** Those whose time has come, and that nobody settled before. */
export const settleRefunds = (simulator: Simulator): void => {
  const { settlings, refunds } = simulator.state;
  for (const { account, item } of settlings.all()) {
    if (item.done || item.due > Date.now()) continue;
    settlings.put(account, { ...item, done: true });
    settleRefund(simulator, account, refunds.get(account, item.id)!, item.outcome);
  }
};
