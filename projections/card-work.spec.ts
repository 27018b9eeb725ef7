import { deliveries } from '../libs/domain/testing/deliveries.js';
import { clinic } from '../libs/domain/testing/example-catalogue.js';
import {
  checkoutOpened,
  purchaseExpired,
  purchaseId,
  purchaseOf,
  purchasePaid,
  purchaseStarted,
} from '../libs/domain/testing/example-purchase.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import type { PurchaseEvent } from '../libs/domain/purchase/purchase.events.js';
import type { OfferingEvent } from '../libs/domain/offering/offering.events.js';
import { cardWork, type CardWorkRow } from './card-work.projection.js';
import { stripeAccounts } from './stripe-accounts.projection.js';

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (...events: (PurchaseEvent | OfferingEvent)[]) => [
    ...fold(cardWork, new Map<string, CardWorkRow>(), delivered(recorded(events))).values(),
  ];
  const { offeringId } = purchaseOf().sale!;

  it('I4: what is under way is listed until it is paid, or over', () => {
    expect(listed(purchaseStarted(), checkoutOpened)).toEqual([
      { id: purchaseId, kind: 'purchase', offeringId, since: '2027-01-01T00:00:01.000Z', changed: 1n },
    ]);
    expect(listed(purchaseStarted(), checkoutOpened, purchasePaid('2027-02-03'))).toEqual([]);
    expect(listed(purchaseStarted(), checkoutOpened, purchaseExpired())).toEqual([]);
  });
  it('I4: when its offering is changed or deleted there is a reason to look at it', () => {
    expect(listed(purchaseStarted(), checkoutOpened, { type: 'OfferingDeleted', data: { offeringId } })).toMatchObject([{ changed: 3n }]);
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
