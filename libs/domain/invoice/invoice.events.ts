import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id, invoiceContent, money } from '../kernel/shapes.js';

// `balance` is what is owing after the event: total − adjustments − paid + refunded; below zero it is credit.

const about = z.object({ invoiceId: id, clientId: id });

export const InvoiceIssued = defineEvent('InvoiceIssued', invoiceContent.extend({ balance: money }));

/** Applying a package to an appointment, or removing it, makes the invoice anew (E9); it keeps its number. */
export const InvoiceReissued = defineEvent('InvoiceReissued', invoiceContent.extend({ balance: money }));

/** E9: the appointment did not take place: an adjustment by the whole total, so that nothing of it is owing. */
export const InvoiceAdjustedToZero = defineEvent(
  'InvoiceAdjustedToZero',
  about.extend({ because: z.enum(['cancelled', 'noShow']), adjustment: money, balance: money }),
);

/** The appointment takes place after all: the adjustment to zero is taken back. */
export const InvoiceAdjustmentUndone = defineEvent('InvoiceAdjustmentUndone', about.extend({ adjustment: money, balance: money }));

export const invoiceEvents = [InvoiceIssued, InvoiceReissued, InvoiceAdjustedToZero, InvoiceAdjustmentUndone] as const;
export type InvoiceEvent = EventOf<(typeof invoiceEvents)[number]>;
