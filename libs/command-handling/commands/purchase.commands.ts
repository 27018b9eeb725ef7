import type { Settings } from '../../domain/business/business.events.js';
import { assertMayPayOnline, assertRemembered, client } from '../../domain/client/client.js';
import { existing as issued, receivePayment } from '../../domain/invoice/invoice.decisions.js';
import { invoice } from '../../domain/invoice/invoice.state.js';
import { plusMinutes } from '../../domain/kernel/calendar.js';
import { wrongCurrency } from '../../domain/kernel/money.js';
import { pick } from '../../domain/kernel/pick.js';
import { assertNone, NotFound, Refusal, type FieldError } from '../../domain/kernel/refusal.js';
import type { Money } from '../../domain/kernel/shapes.js';
import { isSoldOnline } from '../../domain/offering/offering.decisions.js';
import type { Terms } from '../../domain/offering/offering.events.js';
import { offering } from '../../domain/offering/offering.state.js';
import { packageAggregate, type PackageState } from '../../domain/package/package.state.js';
import { saleOf } from '../../domain/package/sale.js';
import { existing, startPurchase } from '../../domain/purchase/purchase.decisions.js';
import type { PurchaseStartedData } from '../../domain/purchase/purchase.events.js';
import { purchase, purchaseView, type PurchaseView } from '../../domain/purchase/purchase.state.js';
import { service } from '../../domain/service/service.js';
import { expireCheckout, isNotOpened, notOpened, openCheckout } from '../card-payments/checkouts.js';
import { ChangeOf, type Versioned } from '../command.js';
import { handlerOf } from '../handler.js';
import { lockedTerms } from '../locked-terms.js';
import { reference, type Operation } from '../operation.js';

/** Where the browser goes from Stripe's page. */
export interface ReturnUrls {
  successUrl: string;
  cancelUrl: string;
}

/** I4: a client buys for themselves, online. */
export class StartPurchase extends ChangeOf<ReturnUrls & { offeringId: string }, PurchaseView> {}
/** D2: what is owing on an invoice, or a part of it, is to be paid by card. */
export class StartCheckout extends ChangeOf<ReturnUrls & { invoiceId: string; amount: Money | null }, PurchaseView> {}
/** Nobody can pay it any more. */
export class CallOffPurchase extends ChangeOf<{ purchaseId: string }, PurchaseView> {}

export const purchaseHandlers = [
  handlerOf(StartPurchase, async (operation, input) => {
    const purchaseId = operation.id('purchase');
    const before = await operation.recall(purchase, purchaseId, purchaseView);
    if (!before) await buyOnline(operation, purchaseId, input);
    return withCheckout(operation, purchaseId);
  }),

  handlerOf(StartCheckout, async (operation, input) => {
    const purchaseId = operation.id('purchase');
    const before = await operation.recall(purchase, purchaseId, purchaseView);
    if (!before) await payInvoice(operation, purchaseId, input);
    return withCheckout(operation, purchaseId);
  }),

  handlerOf(CallOffPurchase, async (operation, { purchaseId }) => {
    const started = existing(await operation.newest(purchase, purchaseId, { ifMatch: true }), purchaseId);
    const { actor, clientId } = operation.caller;
    if (actor.role === 'client' && started.clientId !== clientId) throw new NotFound('purchase', purchaseId);
    if (started.status !== 'started') return calledOff(await operation.shown(purchase, purchaseId, purchaseView));
    try {
      return calledOff(await expireCheckout(operation, started, 'calledOff'));
    } catch (error) {
      if (!isNotOpened(error)) throw error;
      return operation.shown(purchase, purchaseId, purchaseView); // there never was a page to pay at
    }
  }),
];

const calledOff = (view: Versioned<PurchaseView>): Versioned<PurchaseView> => {
  const { status, purchaseId } = view;
  if (status === 'paid') throw new Refusal('PURCHASE_PAID', 'This is paid: it can be refunded, not called off.', { purchaseId });
  if (status === 'processing')
    throw new Refusal('PAYMENT_UNDER_WAY', 'The payment is on its way: wait for what becomes of it.', { purchaseId });
  return view;
};

/** Once the purchase has been started, whoever did it: with the page to pay at, if there is none yet. */
export const withCheckout = async (operation: Operation, purchaseId: string): Promise<Versioned<PurchaseView>> => {
  const started = existing(await operation.newest(purchase, purchaseId), purchaseId);
  if (started.status === 'started' && started.checkout === null) return openCheckout(operation, started);
  if (started.status === 'expired' && started.checkout === null) throw notOpened('it was asked before.', started);
  return operation.shown(purchase, purchaseId, purchaseView);
};

/** How a card is taken in this business: on which account, and what a purchase says of that. */
export const cardDesk = async (
  operation: Operation,
  urls: ReturnUrls,
  at = '',
): Promise<Pick<PurchaseStartedData, 'stripeAccount' | 'expiresAt'> & ReturnUrls> => {
  const { settings } = await operation.business();
  assertNone(wrongReturns(operation, urls, at));
  operation.assertTakesCards();
  return { ...urls, stripeAccount: accountOf(settings), expiresAt: plusMinutes(operation.now, operation.checkouts.minutes) };
};

const accountOf = ({ stripeAccount }: Settings): string => {
  if (stripeAccount !== null) return stripeAccount;
  throw new Refusal(
    'STRIPE_NOT_CONNECTED',
    'This business takes no cards yet: its owner connects it with Stripe (POST /v1/stripe/onboarding).',
  );
};

/** No open redirects: a client is sent back to where the operator of this service lets them be sent to, and nowhere else. */
export const wrongReturns = ({ checkouts: { returnOrigins } }: Pick<Operation, 'checkouts'>, urls: object, at = ''): FieldError[] => {
  const isAllowed = (url: string) => returnOrigins.some((origin) => url === origin || url.startsWith(`${origin}/`));
  const message = `must be at an origin to which clients may be sent (CHECKOUT_RETURN_ORIGINS): ${returnOrigins.join(', ') || 'there is none'}.`;
  return Object.entries(urls)
    .filter(([, url]: [string, string]) => !isAllowed(url))
    .map(([field]) => ({ field: `${at}/${field}`, code: 'ORIGIN_NOT_ALLOWED', message: `${field} ${message}` }));
};

const buyOnline = async (
  operation: Operation,
  purchaseId: string,
  { offeringId, ...urls }: ReturnUrls & { offeringId: string },
): Promise<void> => {
  const { settings, today } = await operation.business();
  const { clientId = '' } = operation.caller;
  const desk = await cardDesk(operation, urls);
  if (!settings.clientsMayBuyOnline) throw new Refusal('BUYING_ONLINE_OFF', 'This business does not sell packages online: ask its staff.');
  const [buyer] = await operation.lookUp(reference(client, '/clientId', clientId), reference(offering, '/offeringId', offeringId));
  assertRemembered(buyer);
  const purchaseOf = async (terms: Terms): Promise<PurchaseStartedData> => ({
    ...{ purchaseId, clientId, ...desk, paymentId: operation.id('payment') },
    ...(await pinned(operation, terms, { offeringId, clientId, purchaseId })),
  });
  const decided = async (terms: Terms) => startPurchase(await purchaseOf(terms))(purchase.initial);
  const terms = await lockedTerms(operation, { offeringId, because: 'purchase', on: today, decided });
  await operation.make(purchase, purchaseId, startPurchase(await purchaseOf(terms)), purchaseView);
};

/** What is bought, with the terms as they are now. */
const pinned = async (operation: Operation, terms: Terms, who: { offeringId: string; clientId: string; purchaseId: string }) => {
  const { currency, timeZone, today } = await operation.business();
  const services = await operation.lookUp(...terms.services.map(({ serviceId }, n) => reference(service, `/services/${n}`, serviceId)));
  if (!isSoldOnline(terms, services))
    throw new Refusal('NOT_SOLD_ONLINE', 'This offering is not sold online: ask the staff.', { offeringId: who.offeringId });
  const taxes = await operation.taxes(terms.payment?.method === 'paidUpfront' ? terms.payment.taxIds : []);
  const {
    payment: _,
    paymentReference: __,
    ...sale
  } = saleOf(terms, services, taxes, {
    ...{ ...who, packageId: operation.id('package'), invoiceId: operation.id('invoice'), channel: 'online' },
    ...{ appointmentId: null, externalReference: null, currency, timeZone, today },
  });
  const { invoiceId } = sale.invoice;
  return { sale, amount: sale.charge.total, description: terms.name, packageId: sale.packageId, invoiceId };
};

const payInvoice = async (
  operation: Operation,
  purchaseId: string,
  { invoiceId, amount: said, ...urls }: ReturnUrls & { invoiceId: string; amount: Money | null },
): Promise<void> => {
  const { settings, currency, name, today } = await operation.business();
  const state = issued(await operation.newest(invoice, invoiceId, { ifMatch: true }), invoiceId);
  const { actor, clientId } = operation.caller;
  if (actor.role === 'client' && (state.clientId !== clientId || !settings.clientsSeeInvoices)) throw new NotFound('invoice', invoiceId);
  assertNone(said ? wrongCurrency('/amount', said, currency) : []);
  const [payer] = await operation.lookUp(reference(client, '/clientId', state.clientId));
  assertMayPayOnline(payer);
  const desk = await cardDesk(operation, urls);
  const [paymentId, amount] = [operation.id('payment'), said ?? state.balance];
  receivePayment({ invoiceId, paymentId, amount, method: 'stripe', reference: null, receivedOn: today })(state); // as much as that can be paid
  const packageId = state.kind === 'package' ? state.packageId : null;
  const description = packageId === null ? name : await operation.known(packageAggregate, packageId, nameOf);
  await operation.make(
    purchase,
    purchaseId,
    startPurchase({
      ...{ purchaseId, ...pick(state, 'clientId'), ...desk, amount, description: description ?? name },
      ...{ paymentId, invoiceId, packageId, sale: null },
    }),
    purchaseView,
  );
};

const nameOf = (state: PackageState): string | null => (state.status === 'unsold' ? null : state.name);
