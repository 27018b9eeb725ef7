import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id, position } from '../kernel/shapes.js';

/** An invoice has its number: the stream's events, counted from 1, so that no number is missing and none is there twice. */
export const InvoiceNumbered = defineEvent(
  'InvoiceNumbered',
  z.object({
    invoiceId: id,
    year: z.int().positive(), // of the local date on which it was issued
    number: z.int().positive(),
    shown: z.string(), // as it stands on the invoice: 2027-000123
    through: position, // of the InvoiceIssued: all before it in this year have their numbers
  }),
);

export const invoiceNumbersEvents = [InvoiceNumbered] as const;
export type InvoiceNumbersEvent = EventOf<(typeof invoiceNumbersEvents)[number]>;
