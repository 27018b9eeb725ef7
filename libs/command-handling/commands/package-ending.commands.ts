import { invoice, type IssuedInvoice } from '../../domain/invoice/invoice.state.js';
import type { Recorded } from '../../domain/kernel/event.js';
import { assertNone, Refusal } from '../../domain/kernel/refusal.js';
import {
  cancelPackage,
  refundPackage,
  reinstatePackage,
  type CancelPackage as Cancelling,
} from '../../domain/package/cancellation.decisions.js';
import { requestPackageRefund } from '../../domain/package/card-refunds.decisions.js';
import { existing } from '../../domain/package/package.decisions.js';
import type { PackageEvent } from '../../domain/package/package.events.js';
import {
  packageAggregate,
  packageView,
  type Cancellation,
  type PackageView,
  type SoldPackage,
} from '../../domain/package/package.state.js';
import { service } from '../../domain/service/service.js';
import { ChangeOf, type Versioned } from '../command.js';
import { handlerOf } from '../handler.js';
import { reference, versioned, type Operation } from '../operation.js';
import { wrongInRefund, type RefundInput } from './invoice.commands.js';

interface CancelInput extends Pick<Cancellation, 'appointments' | 'unpaid'> {
  packageId: string;
  reason: string | null;
}

type RefundingPackage = RefundInput & { packageId: string };

export class CancelPackage extends ChangeOf<CancelInput, PackageView> {}
export class ReinstatePackage extends ChangeOf<{ packageId: string; reason: string | null }, PackageView> {}
export class RefundPackage extends ChangeOf<RefundingPackage, PackageView> {}

export const packageEndingHandlers = [
  handlerOf(CancelPackage, async (operation, input) => {
    const { today } = await operation.business();
    const prices = input.appointments === 'regularFee' ? await pricesOf(operation, input.packageId) : none;
    const cancel = cancelPackage({ ...input, prices, today, now: operation.now, adjustmentId: operation.id('writeOff') });
    return operation.change(packageAggregate, input.packageId, cancel, packageView);
  }),

  handlerOf(ReinstatePackage, async (operation, input) => {
    await writtenOff(operation, input.packageId); // what was to be written off is, and can be undone
    return operation.change(packageAggregate, input.packageId, reinstatePackage(input), packageView);
  }),

  handlerOf(RefundPackage, async (operation, input) => {
    const { today, currency } = await operation.business();
    assertNone(wrongInRefund(input, currency));
    if (input.method === 'stripe') operation.assertTakesCards();
    const before = await operation.recall(packageAggregate, input.packageId, packageView);
    if (before) {
      await assertGivenBack(operation, input.packageId, operation.id('refund'));
      return versioned(before);
    }
    return refundInTurn(operation, input, today);
  }),
];

const none: Cancelling['prices'] = new Map();

/** The regular fees of the package's services, which nothing changes any more, as they are now. */
const pricesOf = async (operation: Operation, packageId: string): Promise<Cancelling['prices']> => {
  const { services } = existing(await operation.newest(packageAggregate, packageId), packageId);
  const ids = [...services.keys()];
  const described = await operation.lookUp(...ids.map((id, n) => reference(service, `/services/${n}`, id)));
  const taxes = await Promise.all(described.map(({ taxIds }) => operation.taxes(taxIds)));
  return new Map(ids.map((id, n) => [id, { price: described[n]!.price, taxes: taxes[n]! }]));
};

/**
 * H4: what was to be written off when it was cancelled. The appointments that it was to move are left alone once that is no longer under
 * way: one that stayed, because it was paid, would move by now.
 */
const writtenOff = async (operation: Operation, packageId: string): Promise<void> => {
  const invoiceId = await operation.known(packageAggregate, packageId, (state) => existing(state, packageId).invoiceId);
  await operation.settled(packageAggregate, packageId, { such: isCancellation, atAnyAge: ({ id }) => id === invoiceId });
};

/** How often a refund waits for another that is under way. */
const TURNS = 5;

/** One refund after the other: each is decided on an invoice that knows of all before it. */
const refundInTurn = async (operation: Operation, input: RefundingPackage, today: string, turn = 1): Promise<Versioned<PackageView>> => {
  const { packageId } = input;
  await operation.settled(packageAggregate, packageId, { such: isSale }); // what was paid with it is on its invoice
  await writtenOff(operation, packageId); // a refund that is owing again is not written off
  const sold = existing(await operation.settled(packageAggregate, packageId, { such: isRefund }), packageId);
  const refundId = operation.id('refund');
  const refund = refundingOf(input, { refundId, today, invoice: await issuedOf(operation, sold) });
  try {
    const answer = await operation.change(packageAggregate, packageId, refund, packageView);
    await assertGivenBack(operation, packageId, refundId);
    return answer;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'REFUND_UNDER_WAY' || turn === TURNS) throw error;
    return refundInTurn(operation, input, today, turn + 1);
  }
};

/** H6: through Stripe it is only asked for. */
const refundingOf = (
  { method, paymentId, ...refund }: RefundingPackage,
  { today, ...at }: { refundId: string; today: string; invoice: IssuedInvoice },
) =>
  method === 'stripe'
    ? requestPackageRefund({ ...refund, ...at, paymentId, requestedOn: today })
    : refundPackage({ ...refund, ...at, method, refundedOn: today });

const issuedOf = async (operation: Operation, { invoiceId }: SoldPackage): Promise<IssuedInvoice> => {
  const issued = await operation.newest(invoice, invoiceId);
  if (issued.status === 'none') throw new Refusal('REFUND_ABOVE_PAID', 'Nothing was paid for this package yet.', { invoiceId });
  return issued;
};

/** Its payment may have been voided at the same moment: then the invoice said no, as far as that is known by now. */
const assertGivenBack = async (operation: Operation, packageId: string, refundId: string): Promise<void> => {
  const { refunds } = existing(await operation.newest(packageAggregate, packageId), packageId);
  if (refunds.some((refund) => refund.refundId === refundId && refund.refused))
    throw new Refusal('REFUND_ABOVE_PAID', 'Its payment was voided at the same moment: nothing was given back.', { refundId });
};

const isSale = ({ type }: Recorded<PackageEvent>): boolean => type === 'PackageSold';
const isCancellation = ({ type }: Recorded<PackageEvent>): boolean => type === 'PackageCancelled';
const isRefund = ({ type }: Recorded<PackageEvent>): boolean => type === 'PackageRefunded' || type === 'PackageRefundRequested';
