import type { Recorded } from '../kernel/event.js';
import { RefundsSoFar, sharesOf, type Share } from '../kernel/explanation.js';
import type { InvoiceEvent } from './invoice.events.js';

export const INVOICE_FIGURES = ['net', 'tax', 'total', 'adjustments', 'paid', 'refunded', 'pending', 'balance'] as const;
export type InvoiceFigure = (typeof INVOICE_FIGURES)[number];

type Added = Partial<Record<InvoiceFigure, number>>;

/** Why an invoice is over so much, or so much of it is paid, refunded or owing: the events that add up to it, each by what it says of itself. */
export const explainInvoice = (events: readonly Recorded<InvoiceEvent>[], figure: InvoiceFigure): Share<InvoiceEvent>[] => {
  const made = new Making();
  return sharesOf(events, figure, (event) => withBalance(made.adds(event)));
};

/** J2: total + adjustments − paid + refunded = balance. */
const withBalance = (added: Added): Added => {
  const { total = 0, adjustments = 0, paid = 0, refunded = 0 } = added;
  return { ...added, balance: total + adjustments - paid + refunded };
};

/** What later events look back at: the lines that an invoice made anew replaces, and refunds that come to something or nothing. */
class Making {
  private made = { net: 0, tax: 0, total: 0 };
  private adjustments = 0;
  private readonly refunds = new RefundsSoFar();

  adds(event: InvoiceEvent): Added {
    const added = this.ownOf(event);
    this.adjustments += added.adjustments ?? 0;
    return added;
  }

  private ownOf({ type, data }: InvoiceEvent): Added {
    switch (type) {
      case 'InvoiceIssued':
      case 'InvoiceReissued':
        return { ...this.anew(data.total), adjustments: data.adjustments.amount - this.adjustments }; // what was taken off went with the lines
      case 'InvoiceAdjustedToZero':
      case 'InvoiceAdjustmentUndone':
      case 'InvoiceAdjusted':
        return { adjustments: data.adjustment.amount };
      case 'PaymentReceived':
        return { paid: data.amount.amount };
      case 'PaymentVoided':
        return { paid: -data.amount.amount };
      case 'InvoiceRefundRequested':
        return this.refunds.becomes('pending', data);
      case 'InvoiceRefunded':
        return { ...this.refunds.becomes('refunded', data), adjustments: data.adjustment.amount };
      case 'InvoiceRefundFailed':
        return this.refunds.becomes('none', data);
      case 'InvoiceRefundReturned':
        return { ...this.refunds.becomes('none', data), adjustments: data.adjustment.amount };
      case 'InvoiceDisputed':
        return {};
      default:
        return type satisfies never;
    }
  }

  private anew({ net, tax, total }: Record<'net' | 'tax' | 'total', { amount: number }>): Added {
    const before = this.made;
    this.made = { net: net.amount, tax: tax.amount, total: total.amount };
    return { net: net.amount - before.net, tax: tax.amount - before.tax, total: total.amount - before.total };
  }
}
