import { deliveries } from '../libs/domain/testing/deliveries.js';
import { idOf } from '../libs/domain/testing/example.js';
import { received, refundConfirmed, refundFailed, refundRequested } from '../libs/domain/testing/example-invoice.js';
import { clinic } from '../libs/domain/testing/example-catalogue.js';
import {
  checkoutOpened,
  ofInvoice,
  purchaseExpired,
  purchaseId,
  purchaseOf,
  purchasePaid,
  purchaseStarted,
} from '../libs/domain/testing/example-purchase.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import type { InvoiceEvent } from '../libs/domain/invoice/invoice.events.js';
import type { PurchaseEvent } from '../libs/domain/purchase/purchase.events.js';
import type { OfferingEvent } from '../libs/domain/offering/offering.events.js';
import { cardWork, type CardWorkRow } from './card-work.projection.js';
import { stripeAccounts } from './stripe-accounts.projection.js';

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (...events: (PurchaseEvent | OfferingEvent | InvoiceEvent)[]) => [
    ...fold(cardWork, new Map<string, CardWorkRow>(), delivered(recorded(events))).values(),
  ];
  const { offeringId } = purchaseOf().sale!;

  it('I4: what is under way is listed until it is paid, or over', () => {
    expect(listed(purchaseStarted(), checkoutOpened)).toEqual([
      { id: purchaseId, kind: 'purchase', invoiceId: null, offeringId, since: '2027-01-01T00:00:01.000Z', changed: 1n },
    ]);
    expect(listed(purchaseStarted(), checkoutOpened, purchasePaid('2027-02-03'))).toEqual([]);
    expect(listed(purchaseStarted(), checkoutOpened, purchaseExpired())).toEqual([]);
  });
  it('I4: when its offering is changed or deleted there is a reason to look at it', () => {
    expect(listed(purchaseStarted(), checkoutOpened, { type: 'OfferingDeleted', data: { offeringId } })).toMatchObject([{ changed: 3n }]);
  });
  it('D2: when something is paid on its invoice there is a reason to look at it', () => {
    const { invoiceId } = purchaseOf();
    const paid = received(1, 20_00, { paid: 20_00, balance: 60_00 }, { invoiceId });
    expect(listed(purchaseStarted(ofInvoice()), checkoutOpened, paid)).toMatchObject([
      { kind: 'purchase', invoiceId, offeringId: null, changed: 3n },
    ]);
  });
  it('H6: a refund is listed until Stripe has said what came of it', () => {
    const asked = refundRequested(1, 20_00, { paid: 20_00, balance: 0, pending: 20_00 });
    expect(listed(asked)).toMatchObject([{ id: idOf('refund1'), kind: 'refund', invoiceId: idOf('i1'), offeringId: null }]);
    expect(listed(asked, refundConfirmed(1, 20_00, { paid: 20_00, refunded: 20_00, balance: 20_00 }))).toEqual([]);
    expect(listed(asked, refundFailed(1, 20_00, { paid: 20_00, balance: 0 }))).toEqual([]);
  });
  it('H6: every account that a business ever had is known', () => {
    const settings = (stripeAccount: string | null) => ({ ...clinic, settings: { ...clinic.settings, stripeAccount } });
    const history = [
      { type: 'BusinessCreated' as const, data: settings(null) },
      ...['acct_1', 'acct_2', null].map((account) => ({ type: 'BusinessSettingsChanged' as const, data: settings(account) })),
    ];
    expect([...fold(stripeAccounts, new Map<string, { account: string; since: string }>(), delivered(recorded(history))).values()]).toEqual(
      [
        { account: 'acct_1', since: '2027-01-01T00:00:02.000Z' },
        { account: 'acct_2', since: '2027-01-01T00:00:03.000Z' },
      ],
    );
  });
});
