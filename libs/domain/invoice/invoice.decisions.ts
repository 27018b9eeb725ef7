import type { Decide } from '../kernel/event.js';
import { minus, negative, sum, zero } from '../kernel/money.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import type { InvoiceContent } from '../kernel/shapes.js';
import type { InvoiceEvent } from './invoice.events.js';
import { invoice, paidOf, type InvoiceState, type IssuedInvoice } from './invoice.state.js';

type DecideInvoice = Decide<InvoiceState, InvoiceEvent>;

/** D3, E9: a sale's invoice, or an appointment's. */
export const issueInvoice =
  (content: InvoiceContent): DecideInvoice =>
  (state) =>
    state.status === 'none' ? [{ type: 'InvoiceIssued', data: owingAll(content) }] : [];

/**
 * E9: other lines, because a package was applied or removed; not while it is paid. If it was adjusted to zero in the
 * meantime, so is what is issued anew.
 */
export const reissueInvoice =
  (content: InvoiceContent): DecideInvoice =>
  (state) => {
    const issued = existing(state, content.invoiceId);
    if (paidOf(issued) !== 0)
      throw new Refusal('INVOICE_PAID', 'This invoice is paid: void or refund the payment first.', { invoiceId: issued.invoiceId });
    const reissued: InvoiceEvent = { type: 'InvoiceReissued', data: owingAll(content) };
    if (!issued.toZero) return [reissued];
    return [reissued, ...adjustToZero(content.invoiceId, issued.toZero.because)(invoice.evolve(state, reissued))];
  };

/** E9: nothing of it is owing any more; what was paid becomes credit. */
export const adjustToZero =
  (invoiceId: string, because: 'cancelled' | 'noShow'): DecideInvoice =>
  (state) => {
    const { clientId, total, adjustments, toZero, balance } = existing(state, invoiceId);
    if (toZero) return [];
    const adjustment = negative(sum(total.currency, [total, adjustments]));
    return [
      {
        type: 'InvoiceAdjustedToZero',
        data: {
          ...{ invoiceId, clientId, because, adjustment },
          adjustments: sum(total.currency, [adjustments, adjustment]),
          balance: sum(total.currency, [balance, adjustment]),
        },
      },
    ];
  };

/** The opposite of adjusting to zero, when a no-show is undone. */
export const undoAdjustment =
  (invoiceId: string): DecideInvoice =>
  (state) => {
    const { clientId, adjustments, toZero, balance } = existing(state, invoiceId);
    if (!toZero) return [];
    const { adjustment } = toZero;
    const after = { adjustments: minus(adjustments, adjustment), balance: minus(balance, adjustment) };
    return [{ type: 'InvoiceAdjustmentUndone', data: { invoiceId, clientId, adjustment: negative(adjustment), ...after } }];
  };

const existing = (state: InvoiceState, invoiceId: string): IssuedInvoice => {
  if (state.status === 'none') throw new NotFound('invoice', invoiceId);
  return state;
};

const owingAll = (content: InvoiceContent) => ({
  ...content,
  adjustments: zero(content.total.total.currency),
  balance: content.total.total,
});
