import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id, invoiceContent, money } from '../kernel/shapes.js';

// After the event: `adjustments` are all of them together, below zero where they take off; `balance` is what is owing,
// total + adjustments − paid + refunded, below zero where it is credit (J2).

const about = z.object({ invoiceId: id, clientId: id });
const after = z.object({ adjustments: money, balance: money });

export const InvoiceIssued = defineEvent('InvoiceIssued', invoiceContent.extend(after.shape));

/** Applying a package to an appointment, or removing it, makes the invoice anew (E9); it keeps its number. */
export const InvoiceReissued = defineEvent('InvoiceReissued', invoiceContent.extend(after.shape));

/** E9: the appointment did not take place: an adjustment that takes off all that is left of the total. */
export const InvoiceAdjustedToZero = defineEvent(
  'InvoiceAdjustedToZero',
  about.extend({ because: z.enum(['cancelled', 'noShow']), adjustment: money, ...after.shape }),
);

/** The appointment takes place after all: the adjustment to zero is taken back. */
export const InvoiceAdjustmentUndone = defineEvent('InvoiceAdjustmentUndone', about.extend({ adjustment: money, ...after.shape }));

export const invoiceEvents = [InvoiceIssued, InvoiceReissued, InvoiceAdjustedToZero, InvoiceAdjustmentUndone] as const;
export type InvoiceEvent = EventOf<(typeof invoiceEvents)[number]>;
