import type { Decide } from '../kernel/event.js';
import { minus, sum } from '../kernel/money.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import type { InvoiceContent } from '../kernel/shapes.js';
import type { InvoiceEvent } from './invoice.events.js';
import { paidOf, type InvoiceState, type IssuedInvoice } from './invoice.state.js';

type DecideInvoice = Decide<InvoiceState, InvoiceEvent>;

/** D3, E9: a sale's invoice, or an appointment's. */
export const issueInvoice =
  (content: InvoiceContent): DecideInvoice =>
  (state) =>
    state.status === 'none' ? [{ type: 'InvoiceIssued', data: { ...content, balance: content.total.total } }] : [];

/** E9: other lines, because a package was applied or removed; not while it is paid. */
export const reissueInvoice =
  (content: InvoiceContent): DecideInvoice =>
  (state) => {
    const issued = existing(state, content.invoiceId);
    if (paidOf(issued) !== 0)
      throw new Refusal('INVOICE_PAID', 'This invoice is paid: void or refund the payment first.', { invoiceId: issued.invoiceId });
    return [{ type: 'InvoiceReissued', data: { ...content, balance: content.total.total } }];
  };

/** E9: nothing of it is owing any more; what was paid becomes credit. */
export const adjustToZero =
  (invoiceId: string, because: 'cancelled' | 'noShow'): DecideInvoice =>
  (state) => {
    const { clientId, total, adjustedToZero, balance } = existing(state, invoiceId);
    if (adjustedToZero) return [];
    return [{ type: 'InvoiceAdjustedToZero', data: { invoiceId, clientId, because, adjustment: total, balance: minus(balance, total) } }];
  };

/** The opposite of adjusting to zero, when a no-show is undone. */
export const undoAdjustment =
  (invoiceId: string): DecideInvoice =>
  (state) => {
    const { clientId, adjustedToZero, balance } = existing(state, invoiceId);
    if (!adjustedToZero) return [];
    const owing = sum(balance.currency, [balance, adjustedToZero]);
    return [{ type: 'InvoiceAdjustmentUndone', data: { invoiceId, clientId, adjustment: adjustedToZero, balance: owing } }];
  };

const existing = (state: InvoiceState, invoiceId: string): IssuedInvoice => {
  if (state.status === 'none') throw new NotFound('invoice', invoiceId);
  return state;
};
