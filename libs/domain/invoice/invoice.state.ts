import type { Aggregate } from '../kernel/event.js';
import { zero } from '../kernel/money.js';
import type { Money } from '../kernel/shapes.js';
import { invoiceEvents, type InvoiceEvent } from './invoice.events.js';

export type InvoiceState = { status: 'none' } | IssuedInvoice;

export interface IssuedInvoice {
  status: 'issued';
  invoiceId: string;
  clientId: string;
  total: Money;
  adjustedToZero: Money | null; // by how much
  balance: Money; // what is owing
}

export const invoice: Aggregate<InvoiceState, InvoiceEvent> = {
  category: 'invoice',
  events: invoiceEvents,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    if (type === 'InvoiceIssued') {
      const { invoiceId, clientId, total, balance } = data;
      return { status: 'issued', invoiceId, clientId, total: total.total, adjustedToZero: null, balance };
    }
    if (state.status === 'none') return state;
    switch (type) {
      case 'InvoiceReissued':
        return { ...state, total: data.total.total, adjustedToZero: null, balance: data.balance };
      case 'InvoiceAdjustedToZero':
        return { ...state, adjustedToZero: data.adjustment, balance: data.balance };
      case 'InvoiceAdjustmentUndone':
        return { ...state, adjustedToZero: null, balance: data.balance };
      default:
        return type satisfies never;
    }
  },
};

/** What was paid and not refunded, as the balance tells it. */
export const paidOf = ({ total, adjustedToZero, balance }: IssuedInvoice): number =>
  total.amount - (adjustedToZero ?? zero(total.currency)).amount - balance.amount;
