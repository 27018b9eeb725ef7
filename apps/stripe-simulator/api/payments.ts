import { z } from 'zod';
import { expanded } from './expand.js';
import { missing } from './failure.js';
import { pageOf } from './list.js';
import { expand, isWithin, paging, read, time } from './params.js';
import { route, type Route } from './route.js';

const just = z.strictObject({ expand });
const listParams = z.strictObject({ ...paging, created: time });
const listOfIntent = z.strictObject({ ...paging, payment_intent: z.string().optional(), created: time });

/** Payment intents, their charges, and disputes over them. */
export const paymentRoutes: Route[] = [
  route('GET', '/v1/payment_intents', ({ state }, { account, form }) => {
    const { created, ...asked } = read(listParams, form);
    const intents = state.paymentIntents.of(account).filter((intent) => isWithin(intent.created, created));
    return expanded(state, account, pageOf('/v1/payment_intents', intents, asked), asked.expand);
  }),
  route('GET', '/v1/payment_intents/:id', ({ state }, { account, id, form }) => {
    const intent = state.paymentIntents.get(account, id);
    if (!intent) throw missing('payment_intent', id, 'intent');
    return expanded(state, account, intent, read(just, form).expand);
  }),
  route('GET', '/v1/charges', ({ state }, { account, form }) => {
    const { payment_intent: intent, created, ...asked } = read(listOfIntent, form);
    const charges = state.charges
      .of(account)
      .filter((charge) => (intent === undefined || charge.payment_intent === intent) && isWithin(charge.created, created));
    return expanded(state, account, pageOf('/v1/charges', charges, asked), asked.expand);
  }),
  route('GET', '/v1/charges/:id', ({ state }, { account, id, form }) => {
    const charge = state.charges.get(account, id);
    if (!charge) throw missing('charge', id, 'charge');
    return expanded(state, account, charge, read(just, form).expand);
  }),
  route('GET', '/v1/disputes', ({ state }, { account, form }) => {
    const { payment_intent: intent, created, ...asked } = read(listOfIntent, form);
    const disputes = state.disputes
      .of(account)
      .filter((dispute) => (intent === undefined || dispute.payment_intent === intent) && isWithin(dispute.created, created));
    return expanded(state, account, pageOf('/v1/disputes', disputes, asked), asked.expand);
  }),
  route('GET', '/v1/disputes/:id', ({ state }, { account, id, form }) => {
    const dispute = state.disputes.get(account, id);
    if (!dispute) throw missing('dispute', id, 'dispute');
    return expanded(state, account, dispute, read(just, form).expand);
  }),
];
