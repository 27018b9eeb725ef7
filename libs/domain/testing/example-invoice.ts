import { invoiceOver } from '../invoice/invoice-content.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import { withTaxes, type Tax } from '../kernel/money.js';
import type { InvoiceContent, Money } from '../kernel/shapes.js';
import { anna, cad, idOf, massage } from './example.js';

type Line = { description: string; serviceId: string | null; net: Money; taxes?: readonly Tax[] };

/** An invoice over lines given as net amounts; of an appointment without a package if nothing else is said. */
export const invoiceContent = ({
  lines = [],
  ...over
}: Partial<Omit<InvoiceContent, 'lines' | 'total'>> & { lines?: Line[] } = {}): InvoiceContent =>
  invoiceOver('CAD', {
    ...{ invoiceId: idOf('i1'), kind: 'appointment', clientId: anna, packageId: null, appointmentId: idOf('a1'), packageInvoiceId: null },
    ...{ issuedOn: '2027-01-31', ...over },
    lines: lines.map(({ net, taxes = [], ...line }) => ({ ...line, ...withTaxes(net, taxes) })),
  });

/** A massage at its regular fee of $100, with these taxes. */
export const regularFee = (taxes: readonly Tax[] = [], over: Partial<Omit<InvoiceContent, 'lines' | 'total'>> = {}): InvoiceContent =>
  invoiceContent({ ...over, lines: [{ description: 'Massage', serviceId: massage, net: cad(100_00), taxes }] });

export const issued = (content: InvoiceContent, balance: Money = content.total.total): InvoiceEvent => ({
  type: 'InvoiceIssued',
  data: { ...content, adjustments: cad(0), balance },
});

export const reissued = (content: InvoiceContent, balance: Money = content.total.total): InvoiceEvent => ({
  type: 'InvoiceReissued',
  data: { ...content, adjustments: cad(0), balance },
});

type BecauseOf = { because?: 'cancelled' | 'noShow'; balance?: number };
const i1 = { invoiceId: idOf('i1'), clientId: anna };

/** So much is taken off, minor units; nothing is owing after it if nothing else is said. */
export const adjustedToZero = (off: number, { because = 'cancelled', balance = 0 }: BecauseOf = {}): InvoiceEvent => ({
  type: 'InvoiceAdjustedToZero',
  data: { ...i1, because, adjustment: cad(0 - off), adjustments: cad(0 - off), balance: cad(balance) },
});
/** So much is put on again, minor units; that much is owing after it if nothing else is said. */
export const adjustmentUndone = (on: number, balance = on): InvoiceEvent => ({
  type: 'InvoiceAdjustmentUndone',
  data: { ...i1, adjustment: cad(on), adjustments: cad(0), balance: cad(balance) },
});
