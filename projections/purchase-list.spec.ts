import { deliveries } from '../libs/domain/testing/deliveries.js';
import {
  checkoutOpened,
  ofInvoice,
  opensUntil,
  purchaseExpired,
  purchaseFailed,
  purchaseId,
  purchaseOf,
  purchasePaid,
  purchaseProcessing,
  purchaseStarted,
} from '../libs/domain/testing/example-purchase.js';
import type { PurchaseEvent } from '../libs/domain/purchase/purchase.events.js';
import { cad } from '../libs/domain/testing/example.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { purchaseList, type PurchaseRow } from './purchase-list.projection.js';

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (...events: PurchaseEvent[]) =>
    fold(purchaseList, new Map<string, PurchaseRow>(), delivered(recorded(events))).get(purchaseId);
  const { packageId, invoiceId, sale } = purchaseOf();
  const open = [purchaseStarted(), checkoutOpened];

  it('I4: what is bought is shown once it is paid; the page as long as it can be paid there', () => {
    expect(listed(...open)).toEqual({
      ...{
        purchaseId,
        clientId: purchaseOf().clientId,
        kind: 'package',
        offeringId: sale!.offeringId,
        description: 'Relax',
        amount: cad(80_00),
      },
      ...{ status: 'started', url: 'https://checkout.example/cs_1', expiresAt: opensUntil, packageId: null, invoiceId: null },
      ...{ startedAt: '2027-01-01T00:00:01.000Z', paidOn: null, because: null, revision: 1n },
    });
    const forgotten = { ...checkoutOpened, data: { ...checkoutOpened.data, url: '(forgotten)' } } as PurchaseEvent;
    expect(listed(purchaseStarted(), forgotten)).toMatchObject({ status: 'started', url: null, expiresAt: opensUntil });
    expect(listed(...open, purchaseProcessing)).toMatchObject({ status: 'processing', url: null, packageId: null });
    expect(listed(...open, purchasePaid('2027-02-03'))).toMatchObject({
      status: 'paid',
      url: null,
      packageId,
      invoiceId,
      paidOn: '2027-02-03',
    });
  });
  it('I4: why nobody can pay it any more, unless it was paid after all', () => {
    expect(listed(...open, purchaseProcessing, purchaseFailed)).toMatchObject({ status: 'failed', url: null, because: null });
    expect(listed(...open, purchaseExpired('calledOff'))).toMatchObject({ status: 'expired', url: null, because: 'calledOff' });
    expect(listed(...open, purchaseExpired(), purchasePaid('2027-02-03'))).toMatchObject({ status: 'paid', because: null, packageId });
  });
  it('D2: what is owing on an invoice that is there', () => {
    expect(listed(purchaseStarted(ofInvoice()))).toMatchObject({ kind: 'invoice', offeringId: null, packageId, invoiceId });
  });
});
