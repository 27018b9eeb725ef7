import type { Aggregate } from '../kernel/event.js';
import type { InvoiceContent, Money } from '../kernel/shapes.js';
import { invoiceEvents, type InvoiceEvent } from './invoice.events.js';

export type InvoiceState = { status: 'none' } | IssuedInvoice;

export interface IssuedInvoice {
  status: 'issued';
  invoiceId: string;
  clientId: string;
  total: Money;
  adjustments: Money; // all together; below zero: they take off
  toZero: { adjustment: Money; because: 'cancelled' | 'noShow' } | null; // the one of them that E9 made
  balance: Money; // what is owing
}

export const invoice: Aggregate<InvoiceState, InvoiceEvent> = {
  category: 'invoice',
  events: invoiceEvents,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    if (type === 'InvoiceIssued') return issued(data);
    if (state.status === 'none') return state;
    switch (type) {
      case 'InvoiceReissued':
        return issued(data);
      case 'InvoiceAdjustedToZero': {
        const { adjustment, because, adjustments, balance } = data;
        return { ...state, toZero: { adjustment, because }, adjustments, balance };
      }
      case 'InvoiceAdjustmentUndone':
        return { ...state, toZero: null, adjustments: data.adjustments, balance: data.balance };
      default:
        return type satisfies never;
    }
  },
};

/** What was paid and not refunded, as the balance tells it; minor units. */
export const paidOf = ({ total, adjustments, balance }: IssuedInvoice): number => total.amount + adjustments.amount - balance.amount;

const issued = (data: InvoiceContent & { adjustments: Money; balance: Money }): IssuedInvoice => {
  const { invoiceId, clientId, total, adjustments, balance } = data;
  return { status: 'issued', invoiceId, clientId, total: total.total, adjustments, toZero: null, balance };
};
