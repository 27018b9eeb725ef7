import type Stripe from 'stripe';
import { z } from 'zod';
import { idOf } from '../payments.js';
import { refundCharge } from '../refunds.js';
import type { Simulator } from '../simulator.js';
import { expanded } from './expand.js';
import { invalid, missing, refused } from './failure.js';
import { pageOf } from './list.js';
import { expand, flag, integer, isWithin, metadata, paging, read, time } from './params.js';
import { route, type Route } from './route.js';

const createParams = z.strictObject({
  payment_intent: z.string().optional(),
  charge: z.string().optional(),
  amount: integer.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
  refund_application_fee: flag.optional(),
  reverse_transfer: flag.optional(),
  expand,
});
const listParams = z.strictObject({ ...paging, payment_intent: z.string().optional(), charge: z.string().optional(), created: time });

const chargeFor = (
  { state }: Simulator,
  account: string,
  { payment_intent: intentId, charge: chargeId }: z.output<typeof createParams>,
) => {
  if (chargeId !== undefined) {
    const charge = state.charges.get(account, chargeId);
    if (!charge) throw missing('charge', chargeId, 'charge');
    return charge;
  }
  if (intentId === undefined)
    throw invalid(
      'One of the following params should be provided for this request: payment_intent or charge.',
      undefined,
      'parameter_missing',
    );
  const intent = state.paymentIntents.get(account, intentId);
  if (!intent) throw missing('payment_intent', intentId, 'payment_intent');
  if (intent.status !== 'succeeded') throw refused(`This PaymentIntent (${intentId}) does not have a successful charge to refund.`);
  return state.charges.get(account, idOf(intent.latest_charge))!;
};

const isOf = (refund: Stripe.Refund, intent: string | undefined, charge: string | undefined): boolean =>
  (intent === undefined || refund.payment_intent === intent) && (charge === undefined || refund.charge === charge);

export const refundRoutes: Route[] = [
  route('POST', '/v1/refunds', (simulator, call) => {
    const said = read(createParams, call.form);
    const refund = refundCharge(simulator, call.account, chargeFor(simulator, call.account, said), said, call);
    return expanded(simulator.state, call.account, refund, said.expand);
  }),
  route('GET', '/v1/refunds', ({ state }, { account, form }) => {
    const { payment_intent: intent, charge, created, ...asked } = read(listParams, form);
    const refunds = state.refunds.of(account).filter((refund) => isOf(refund, intent, charge) && isWithin(refund.created, created));
    return expanded(state, account, pageOf('/v1/refunds', refunds, asked), asked.expand);
  }),
  route('GET', '/v1/refunds/:id', ({ state }, { account, id, form }) => {
    const refund = state.refunds.get(account, id);
    if (!refund) throw missing('refund', id, 'refund');
    return expanded(state, account, refund, read(z.strictObject({ expand }), form).expand);
  }),
];
