import { z } from 'zod';

// The pieces that stored events are made of. Stored for ever: add, never edit.

export const id = z.uuid();
export const localDate = z.iso.date(); // in the business's time zone
export const instant = z.iso.datetime({ precision: 3 }); // UTC with milliseconds
export const currency = z.string().regex(/^[A-Z]{3}$/); // ISO 4217
export const money = z.object({ amount: z.int(), currency }); // minor units
export const price = money.extend({ amount: z.int().nonnegative() });
export const percentage = z.string().regex(/^\d{1,3}(\.\d{1,6})?$/); // exact decimal: "9.975"
export const position = z.string().regex(/^\d{1,20}$/); // commit position in `$all`, a decimal string
export const limit = z.union([z.int().positive(), z.literal('unlimited')]);

/** One tax of one line, rounded by itself (A4). */
export const taxLine = z.object({ taxId: id, name: z.string(), rate: percentage, amount: price });

/** A price with its taxes on top: `total` = `net` + the taxes. */
export const charge = z.object({ net: price, taxes: z.array(taxLine), total: price });

/** C2: the time in which sessions must be used. */
export const expiryRule = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('onDate'), date: localDate }),
  z.object({
    kind: z.literal('after'),
    from: z.enum(['purchase', 'firstUse']),
    amount: z.int().positive().max(36_500), // a hundred years of days
    unit: z.enum(['days', 'weeks', 'months']),
  }),
]);

/** What becomes of a session when its appointment does not take place (H1, H2). */
export const sessionOutcome = z.enum(['returned', 'forfeited']);

/** D2. `stripe`: a card through Stripe. */
export const paymentMethod = z.enum(['cash', 'cardTerminal', 'bankTransfer', 'other', 'stripe']);

export const invoiceLine = z.object({ description: z.string(), serviceId: id.nullable(), ...charge.shape });

/** A whole invoice as it is issued, so that whoever issues it looks nothing up. */
export const invoiceContent = z.object({
  invoiceId: id,
  kind: z.enum(['package', 'appointment']),
  clientId: id,
  packageId: id.nullable(),
  appointmentId: id.nullable(),
  packageInvoiceId: id.nullable(), // E4: an appointment's invoice links to its package's
  issuedOn: localDate,
  lines: z.array(invoiceLine),
  total: z.object({ net: price, tax: price, total: price }),
});

export type Money = z.infer<typeof money>;
export type TaxLine = z.infer<typeof taxLine>;
export type Charge = z.infer<typeof charge>;
export type Limit = z.infer<typeof limit>;
export type ExpiryRule = z.infer<typeof expiryRule>;
export type PaymentMethod = z.infer<typeof paymentMethod>;
export type SessionOutcome = z.infer<typeof sessionOutcome>;
export type InvoiceLine = z.infer<typeof invoiceLine>;
export type InvoiceContent = z.infer<typeof invoiceContent>;
