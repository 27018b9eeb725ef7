import fc from 'fast-check';
import { cad } from '../testing/example.js';
import {
  checkoutOpened,
  heard,
  ofInvoice,
  opensUntil,
  purchaseExpired,
  purchaseFailed,
  purchaseId,
  purchaseOf,
  purchasePaid,
  purchaseProcessing,
  purchaseStarted,
} from '../testing/example-purchase.js';
import { given } from '../testing/given.js';
import { giveUp, hearOfCheckout, neverOpened, startPurchase, type HeardOfCheckout } from './purchase.decisions.js';
import type { PurchaseEvent } from './purchase.events.js';
import { purchase, purchaseView, type PurchaseState } from './purchase.state.js';

const aPurchase = given(purchase);
const hears = (status: HeardOfCheckout['status'], over: Partial<HeardOfCheckout> = {}) => hearOfCheckout(heard(status, over));
const open = [purchaseStarted(), checkoutOpened];
const day = '2027-02-03';

describe('starting', () => {
  it('I4: pins what is bought, and what it costs', () => aPurchase([]).when(startPurchase(purchaseOf())).emits([purchaseStarted()]));
  it('I4: nothing to pay is no purchase', () =>
    aPurchase([])
      .when(startPurchase(purchaseOf({ amount: cad(0) })))
      .refuses('NOTHING_TO_PAY'));
  it('D5: is done once', () => aPurchase([purchaseStarted()]).when(startPurchase(purchaseOf())).refuses('ALREADY_EXISTS'));
});

describe('what is heard of its checkout', () => {
  it('I4: that there is a page to pay at, once', () => {
    const opened = hears('open', { url: 'https://checkout.example/cs_1' });
    aPurchase([purchaseStarted()]).when(opened).emits([checkoutOpened]);
    aPurchase(open).when(opened).emits([]);
    aPurchase([purchaseStarted(), purchaseExpired()]).when(opened).emits([]);
  });
  it('I4: that it is paid: sold is what was pinned, on the day of the payment', () =>
    aPurchase(open)
      .when(hears('paid'))
      .emits([purchasePaid(day)]));
  it('I4: that it is paid, before it was noted that it was opened', () =>
    aPurchase([purchaseStarted()])
      .when(hears('paid'))
      .emits([purchasePaid(day)]));
  it('D2: that what was owing on an invoice is paid', () =>
    aPurchase([purchaseStarted(ofInvoice()), checkoutOpened])
      .when(hears('paid'))
      .emits([purchasePaid(day, { sale: null })]));
  it('I4: that it takes days, and then that it is paid, or has failed', () => {
    aPurchase(open).when(hears('processing')).emits([purchaseProcessing]);
    aPurchase([...open, purchaseProcessing])
      .when(hears('processing'))
      .emits([]);
    aPurchase([...open, purchaseProcessing])
      .when(hears('paid'))
      .emits([purchasePaid(day)]);
    aPurchase([...open, purchaseProcessing])
      .when(hears('failed'))
      .emits([purchaseFailed]);
  });
  it('I4: that nobody paid, or that it can no longer be paid', () => {
    aPurchase(open).when(hears('expired')).emits([purchaseExpired()]);
    aPurchase(open)
      .when(hears('expired', { because: 'offeringUnavailable' }))
      .emits([purchaseExpired('offeringUnavailable')]);
    aPurchase([...open, purchaseExpired()])
      .when(hears('expired', { because: 'calledOff' }))
      .emits([]);
  });
  it('I4: a payment that completes is honoured, also after it was said to have failed or expired', () => {
    for (const end of [purchaseFailed, purchaseExpired('offeringUnavailable')])
      aPurchase([...open, end])
        .when(hears('paid'))
        .emits([purchasePaid(day)]);
  });
  it('I4: what is paid stays paid, whatever is heard later', () => {
    for (const status of ['open', 'processing', 'failed', 'expired', 'paid'] as const)
      aPurchase([...open, purchasePaid(day)])
        .when(hears(status))
        .emits([]);
  });
  it('I4: another amount, currency, account or checkout than was started is not booked', () => {
    for (const other of [
      ...[{ amount: cad(79_99) }, { amount: { amount: 80_00, currency: 'USD' } }, { stripeAccount: 'acct_2' }, { checkoutId: 'cs_2' }],
      { paymentIntentId: null },
    ])
      aPurchase(open).when(hears('paid', other)).refuses('NOT_AS_STARTED');
  });
  it('A3: of what was never started nothing is heard', () => aPurchase([]).when(hears('paid')).refuses('NOT_FOUND'));
  it('I4: that Stripe opens no page', () => {
    aPurchase([purchaseStarted()])
      .when(neverOpened(purchaseId))
      .emits([purchaseExpired('neverOpened')]);
    aPurchase(open).when(neverOpened(purchaseId)).emits([]);
    aPurchase([...open, purchasePaid(day)])
      .when(neverOpened(purchaseId))
      .emits([]);
  });
});

it('I4: what Stripe will not tell any more is over a day after its checkout is, a month after if a payment was on its way', () => {
  const at = (now: string) => giveUp({ purchaseId, now });
  const [dayAfter, monthAfter] = ['2027-02-01T18:00:00.000Z', '2027-03-02T18:00:00.000Z'];
  aPurchase(open).when(at('2027-02-01T17:59:59.000Z')).emits([]);
  aPurchase(open).when(at(dayAfter)).emits([purchaseExpired()]);
  aPurchase([purchaseStarted()]).when(at(dayAfter)).emits([purchaseExpired()]);
  aPurchase([...open, purchaseProcessing])
    .when(at(dayAfter))
    .emits([]);
  aPurchase([...open, purchaseProcessing])
    .when(at(monthAfter))
    .emits([purchaseExpired()]);
  for (const end of [purchaseExpired('calledOff'), purchaseFailed, purchasePaid(day)])
    aPurchase([...open, end])
      .when(at(monthAfter))
      .emits([]);
});

describe('whatever is heard, in any order and however often', () => {
  const status = fc.constantFrom('open', 'processing', 'failed', 'expired', 'paid');
  const told = (statuses: HeardOfCheckout['status'][]): { events: PurchaseEvent[]; state: PurchaseState } => {
    const events = [...open];
    let state = events.reduce<PurchaseState>(purchase.evolve, purchase.initial);
    for (const one of statuses) {
      const more = hears(one)(state);
      events.push(...more);
      state = more.reduce<PurchaseState>(purchase.evolve, state);
    }
    return { events, state };
  };

  it('I4: it is paid exactly once if Stripe ever says so, and never else; it never goes back', () => {
    fc.assert(
      fc.property(fc.array(status, { maxLength: 12 }), (statuses) => {
        const { events, state } = told(statuses);
        expect(events.filter(({ type }) => type === 'PurchasePaid')).toHaveLength(statuses.includes('paid') ? 1 : 0);
        expect(new Set(events.map(({ type }) => type)).size).toBe(events.length);
        if (statuses.includes('paid')) expect(state.status).toBe('paid');
      }),
    );
  });
});

it('I4: shows what is bought once it is paid, and the page as long as it can be paid there', () => {
  const after = (...events: PurchaseEvent[]) => purchaseView(events.reduce<PurchaseState>(purchase.evolve, purchase.initial));
  expect(after(...open)).toMatchObject({ kind: 'package', url: expect.any(String) as string, expiresAt: opensUntil, packageId: null });
  expect(after(...open, purchasePaid(day))).toMatchObject({ status: 'paid', url: null, packageId: purchaseOf().packageId });
  const forgotten = { ...checkoutOpened, data: { ...checkoutOpened.data, url: '(forgotten)' } } as PurchaseEvent;
  expect(after(purchaseStarted(), forgotten)).toMatchObject({ status: 'started', url: null });
  expect(after(purchaseStarted(ofInvoice()))).toMatchObject({ kind: 'invoice', url: null, invoiceId: purchaseOf().invoiceId });
});
