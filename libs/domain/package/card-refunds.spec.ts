import { bringIn, requestRefund } from '../invoice/card-refunds.decisions.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import { invoice, type IssuedInvoice } from '../invoice/invoice.state.js';
import type { Recorded } from '../kernel/event.js';
import { confirming, refunding } from '../policies/refunding.js';
import type { Policy } from '../policies/policy.js';
import { deliveries } from '../testing/deliveries.js';
import { cad, gst, idOf } from '../testing/example.js';
import { issued, received } from '../testing/example-invoice.js';
import {
  cancelled,
  january,
  p,
  packageDisputed,
  refunded,
  refundRefused,
  refundRequested,
  reinstated,
  sold,
} from '../testing/example-package.js';
import { given } from '../testing/given.js';
import { refundPackage, refuseRefund, reinstatePackage } from './cancellation.decisions.js';
import { noteDispute, noteRefund, requestPackageRefund, type RequestPackageRefund } from './card-refunds.decisions.js';
import type { PackageEvent } from './package.events.js';
import { packageAggregate, pendingOf, refundedOf, type SoldPackage } from './package.state.js';

const aPackage = given(packageAggregate);
const sale = sold({ taxes: [gst] });
const ended = [sale, cancelled];
const content = (sale as Extract<PackageEvent, { type: 'PackageSold' }>).data.invoice; // 84.00 with 4.00 of tax
const { invoiceId } = content;
const purchaseId = idOf('purchase1');

const paid: InvoiceEvent[] = [
  issued(content),
  received(1, 84_00, { paid: 84_00, balance: 0 }, { invoiceId, method: 'stripe', purchaseId }),
];
const read = (...more: InvoiceEvent[]) => [...paid, ...more].reduce(invoice.evolve, invoice.initial) as IssuedInvoice;
const request = (n: number, amount: number, at: IssuedInvoice, over: Partial<RequestPackageRefund> = {}) =>
  requestPackageRefund({
    ...{ packageId: p, refundId: idOf(`refund${n}`), paymentId: null, amount: cad(amount), outcome: 'noOutstandingBalance' },
    ...{ reference: null, notes: null, requestedOn: january, invoice: at, ...over },
  });
const ofInvoice = (n: number, amount: number) =>
  requestRefund({
    ...{ invoiceId, refundId: idOf(`refund${n}`), paymentId: null, amount: cad(amount), outcome: 'noOutstandingBalance' },
    ...{ reference: null, notes: null, requestedOn: january },
  });
const stripeSays = (n: number, amount: number, status: 'succeeded' | 'failed') =>
  bringIn({
    ...{ invoiceId, purchaseId, on: january, disputes: [] },
    refunds: [
      {
        stripeRefundId: `re_${n}`,
        refundId: idOf(`refund${n}`),
        amount: cad(amount),
        status,
        reason: status === 'failed' ? 'declined' : null,
      },
    ],
  });

describe('asking for a refund of a package through Stripe', () => {
  it('H6: of one that is cancelled; the payment is the one that was made there', () => {
    aPackage([sale])
      .when(request(1, 42_00, read()))
      .refuses('PACKAGE_NOT_CANCELLED');
    aPackage(ended)
      .when(request(1, 42_00, read()))
      .emits([refundRequested(1, 42_00, 42_00)]);
  });
  it('D5: once', () =>
    aPackage([...ended, refundRequested(1, 42_00, 42_00)])
      .when(request(1, 42_00, read()))
      .emits([]));
  it('H6: what its invoice would say no to is refused at once', () => {
    const [asked] = ofInvoice(1, 42_00)(read());
    aPackage([...ended, refundRequested(1, 42_00, 42_00)])
      .when(request(2, 42_01, read(asked!)))
      .refuses('REFUND_ABOVE_PAYMENT', { left: cad(42_00) });
    aPackage([...ended, refundRequested(1, 42_00, 42_00)])
      .when(request(2, 42_00, read(asked!)))
      .emits([refundRequested(2, 42_00, 84_00)]);
  });
  it('H6: waits for the request before it to reach the invoice', () =>
    aPackage([...ended, refundRequested(1, 42_00, 42_00)])
      .when(request(2, 1, read()))
      .refuses('REFUND_UNDER_WAY'));
  it('H6: in cash meanwhile only what is left', () => {
    const [asked] = ofInvoice(1, 42_00)(read());
    const cash = (amount: number) =>
      refundPackage({
        ...{ packageId: p, refundId: idOf('refund2'), amount: cad(amount), outcome: 'noOutstandingBalance', method: 'cash' },
        ...{ reference: null, notes: null, refundedOn: january, invoice: read(asked!) },
      });
    const waiting = [...ended, refundRequested(1, 42_00, 42_00)];
    aPackage(waiting)
      .when(cash(42_01))
      .refuses('REFUND_ABOVE_PAID', { refundable: cad(42_00) });
    aPackage(waiting)
      .when(cash(42_00))
      .emits([refunded(2, 42_00, 42_00, { tax: cad(2_00), pending: cad(42_00) })]);
  });
  it('H6: while one waits, the package cannot be reinstated; after it failed it can', () => {
    const waiting = [...ended, refundRequested(1, 42_00, 42_00)];
    const reinstate = reinstatePackage({ packageId: p, reason: null });
    aPackage(waiting)
      .when(reinstate)
      .refuses('REFUND_PENDING', { pending: cad(42_00) });
    aPackage([...waiting, refundRefused(1, 42_00, 0, { because: 'stripe', failure: 'declined' })])
      .when(reinstate)
      .emits([reinstated()]);
  });
});

/** What a policy makes of an event, on the stream of the other, as it stands. */
const follows = <State, Event>(policy: Policy, event: { type: string }, state: State): Event[] =>
  policy.on[event.type]!(event as Recorded).flatMap(({ decide }) => (decide as (state: State) => Event[])(state));

describe('the package and its invoice', () => {
  const waiting = [...ended, refundRequested(1, 42_00, 42_00)];
  const fold = (events: readonly PackageEvent[]) => events.reduce(packageAggregate.evolve, structuredClone(packageAggregate.initial));
  const [asked] = ofInvoice(1, 42_00)(read());

  it('H6: the package decides, its invoice keeps the money for it, or refuses, and the package is told', () => {
    expect(follows(refunding, waiting.at(-1)!, read())).toEqual([asked]);
    const [command] = refunding.on.PackageRefundRequested!(waiting.at(-1)! as unknown as Recorded);
    const [undo] = command!.refused!();
    aPackage(waiting)
      .when(undo!.decide as (state: unknown) => PackageEvent[])
      .emits([refundRefused(1, 42_00, 0)]);
  });
  it('H6: what Stripe says of it the invoice tells the package, and both agree', () => {
    const [succeeded] = stripeSays(1, 42_00, 'succeeded')(read(asked!));
    const [noted] = follows<unknown, PackageEvent>(confirming, succeeded!, fold(waiting));
    expect(noted).toEqual(refunded(1, 42_00, 42_00, { method: 'stripe', tax: cad(2_00) }));
    const after = fold([...waiting, noted!]) as SoldPackage;
    expect([refundedOf(after), pendingOf(after)]).toEqual([cad(42_00), cad(0)]);
    expect(follows(confirming, succeeded!, after)).toEqual([]); // once
    expect(follows(refunding, noted!, read(asked!, succeeded!))).toEqual([]); // and it goes no further

    const [failed] = stripeSays(1, 42_00, 'failed')(read(asked!));
    const no = refundRefused(1, 42_00, 0, { because: 'stripe', failure: 'declined' });
    expect(follows(confirming, failed!, fold(waiting))).toEqual([no]);
    expect(fold([...waiting, no])).toMatchObject({ refunds: [{ status: 'failed', refused: false, failure: 'declined' }] });
    const [returned] = stripeSays(1, 42_00, 'failed')(read(asked!, succeeded!));
    expect(follows(confirming, returned!, after)).toEqual([no]); // it had succeeded
  });
  it('H6: refunded in the dashboard, a package is refunded also without a cancellation', () => {
    const [fact] = bringIn({
      ...{ invoiceId, purchaseId, on: january, disputes: [] },
      refunds: [{ stripeRefundId: 're_9', refundId: null, amount: cad(10_00), status: 'succeeded', reason: null }],
    })(read());
    const { data } = fact as Extract<InvoiceEvent, { type: 'InvoiceRefunded' }>;
    aPackage([sale])
      .when(noteRefund({ ...data, packageId: p }))
      .emits([
        refunded(1, 10_00, 10_00, {
          refundId: data.refundId,
          method: 'stripe',
          source: 'stripe',
          outcome: 'outstandingBalance',
          tax: data.tax,
        }),
      ]);
  });
  it('H6: a dispute is noted once per status', () => {
    const [event] = bringIn({
      ...{ invoiceId, purchaseId, on: january, refunds: [] },
      disputes: [{ disputeId: 'dp_1', amount: cad(84_00), status: 'open', reason: 'fraudulent' }],
    })(read());
    const note = noteDispute({ ...(event as Extract<InvoiceEvent, { type: 'InvoiceDisputed' }>).data, packageId: p });
    aPackage([sale])
      .when(note)
      .emits([packageDisputed(84_00, 'open')]);
    aPackage([sale, packageDisputed(84_00, 'open')])
      .when(note)
      .emits([]);
  });
  it('H6: what it does not know, or has given up, is not given up again', () => {
    const refuse = refuseRefund({ packageId: p, refundId: idOf('refund1'), because: 'stripe', failure: 'declined' });
    aPackage(ended).when(refuse).emits([]);
    aPackage([...waiting, refundRefused(1, 42_00, 0, { because: 'stripe', failure: 'declined' })])
      .when(refuse)
      .emits([]);
  });
  it.each(deliveries)('K1: folding it is the same, events delivered %s', (_, delivered) => {
    const history = [
      ...[...waiting, refundRequested(2, 20_00, 62_00), refunded(1, 42_00, 42_00, { method: 'stripe', pending: cad(20_00) })],
      ...[refundRefused(2, 20_00, 42_00, { because: 'stripe', failure: 'declined' }), packageDisputed(84_00, 'open')],
    ];
    expect(fold(delivered(history))).toEqual(fold(history));
  });
});
