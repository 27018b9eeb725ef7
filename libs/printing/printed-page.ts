import { Refusal } from '../domain/kernel/refusal.js';
import type { InvoiceLine } from '../domain/kernel/shapes.js';
import { amountsIn, dateText, momentText, type Amounts } from './wording.js';

// What stands on a printed invoice or receipt, worked out once and in words: the HTML and the PDF only lay it out.

/** An invoice with all that its print names. Amounts are minor units of its currency. */
export interface PrintedInvoice {
  invoiceId: string;
  number: string | null; // null: it gets one moments after it is issued
  kind: 'package' | 'appointment';
  issuedOn: string; // local date
  currency: string;
  lines: readonly InvoiceLine[];
  net: number;
  total: number;
  adjustments: number; // below zero where they take off
  balance: number; // below zero it is credit
  payments: readonly PrintedPayment[];
  refunds: readonly PrintedRefund[];
  business: string;
  client: string;
  package: { name: string | null; invoiceId: string | null; invoiceNumber: string | null } | null; // E4: the invoice is null on its own
  appointment: { start: string; timeZone: string } | null;
}

export interface PrintedPayment {
  on: string; // local date
  method: string;
  reference: string | null;
  amount: number;
  voided: boolean;
}

/** What is pending or has failed is in no sum (H6). */
export interface PrintedRefund extends Omit<PrintedPayment, 'voided'> {
  status: 'pending' | 'succeeded' | 'failed';
}

export interface PrintedPage {
  title: 'Invoice' | 'Receipt' | 'Statement';
  name: string; // of the whole document: `Invoice 2027-12 · Clinic`
  file: string; // its name, without what comes after the point
  business: string;
  addressee: Fact;
  facts: Fact[];
  headline: Figure; // what matters most: what is owing, or what was received
  stamp: 'PAID' | 'REFUNDED' | 'CREDIT' | null;
  note: string | null;
  tables: ('lines' | 'movements' | 'entries')[]; // those that there are, in the order in which they stand
  lines: PrintedLine[];
  movements: Movement[]; // payments and refunds
  entries: PrintedEntry[]; // of a statement
  totals: Figure[];
  captions: Record<'lines' | 'movements' | 'entries' | 'totals', string>;
  footer: string;
  issuedOn: string; // local date
}

export const LINE_HEADS = ['Description', 'Net', 'Tax', 'Tax amount', 'Total'] as const;
export const MOVEMENT_HEADS = ['Date', 'Payment', 'Reference', 'Amount'] as const;
export const ENTRY_HEADS = ['Date', 'What', 'Service', 'Change', 'Left', 'Fee'] as const;

export interface Fact {
  label: string;
  value: string;
  address?: string; // of the page that it names, relative to this one
}

export interface Figure {
  label: string;
  amount: string;
  isSum?: true;
}

export interface PrintedLine {
  description: string;
  net: string;
  taxes: Figure[];
  total: string;
}

export interface Movement {
  on: string;
  what: string;
  reference: string;
  amount: string;
  voided: boolean;
}

/** What changed how many sessions are left, or could have. */
export interface PrintedEntry {
  on: string;
  what: string;
  service: string;
  effect: string;
  remaining: string;
  fee: string;
}

/** D3, E9: an invoice as it stands now. */
export const invoicePage = (invoice: PrintedInvoice): PrintedPage => {
  const amounts = amountsIn(invoice.currency);
  const headline = balanceOf(invoice, amounts);
  return { ...{ headline, addressee: { label: 'Billed to', value: invoice.client } }, ...pageOf('Invoice', invoice, amounts) };
};

/**
 * D2: what was received on an invoice, and what of it is still owing.
 * @throws Refusal NOTHING_PAID
 */
export const receiptPage = (invoice: PrintedInvoice): PrintedPage => {
  if (!invoice.payments.some(({ voided }) => !voided))
    throw new Refusal('NOTHING_PAID', 'Nothing was paid on this invoice: print the invoice, or take a payment first.', {
      invoiceId: invoice.invoiceId,
    });
  const amounts = amountsIn(invoice.currency);
  const headline = { label: 'Received', amount: amounts.full(paidOf(invoice)) };
  return { ...{ headline, addressee: { label: 'Received from', value: invoice.client } }, ...pageOf('Receipt', invoice, amounts) };
};

const pageOf = (title: PrintedPage['title'], invoice: PrintedInvoice, amounts: Amounts): Omit<PrintedPage, 'headline' | 'addressee'> => {
  const { business, currency, issuedOn, invoiceId, number } = invoice;
  const lines = invoice.lines.map((line) => lineOf(line, amounts));
  const movements = movementsOf(invoice, amounts);
  const first: PrintedPage['tables'] = title === 'Receipt' ? ['movements', 'lines'] : ['lines', 'movements'];
  return {
    ...{ title, name: `${title} ${number ?? invoiceId} · ${business}`, business, issuedOn },
    file: `${title.toLowerCase()}-${(number ?? invoiceId).replaceAll(/[^\w.-]/g, '-')}`,
    ...{ facts: factsOf(invoice), stamp: stampOf(invoice), note: noteOf(invoice) },
    ...{ lines, movements, entries: [], totals: totalsOf(invoice, amounts) },
    tables: first.filter((table) => (table === 'lines' ? lines : movements).length > 0),
    captions: {
      lines: `What was sold, in ${currency}`,
      movements: `Payments, in ${currency}`,
      entries: '',
      totals: `Totals, in ${currency}`,
    },
    footer: `${title} ${number ?? 'without a number yet'} · Reference ${invoiceId}`,
  };
};

const factsOf = ({ number, issuedOn, appointment, package: from }: PrintedInvoice): Fact[] => [
  { label: 'Invoice number', value: number ?? 'follows' },
  { label: 'Issued on', value: dateText(issuedOn) },
  ...(appointment ? [{ label: 'Appointment', value: momentText(appointment.start, appointment.timeZone) }] : []),
  ...(from && from.name !== null ? [{ label: 'Package', value: from.name }] : []),
  ...(from && from.invoiceId !== null
    ? [{ label: "Package's invoice", value: from.invoiceNumber ?? from.invoiceId, address: `../${from.invoiceId}/invoice.html` }]
    : []),
];

const stampOf = (invoice: PrintedInvoice): PrintedPage['stamp'] => {
  if (invoice.balance < 0) return 'CREDIT';
  const paid = paidOf(invoice);
  if (invoice.balance > 0 || paid === 0) return null;
  return paid > refundedOf(invoice) ? 'PAID' : 'REFUNDED';
};

/** Why nothing is charged, where that needs saying (D3, E4). */
const noteOf = ({ kind, total, package: from }: PrintedInvoice): string | null => {
  if (total !== 0) return null;
  if (kind === 'package') return 'For tracking: nothing is charged on this invoice.';
  return from ? 'Nothing is charged on this invoice: the session is part of the package.' : null;
};

const lineOf = ({ description, net, taxes, total }: InvoiceLine, { plain }: Amounts): PrintedLine => ({
  ...{ description, net: plain(net.amount), total: plain(total.amount) },
  taxes: taxes.map((tax) => ({ label: nameOf(tax), amount: plain(tax.amount.amount) })),
});

/** A name within a text is set apart (U+2068 … U+2069), so that one that is written from the right does not turn what stands beside it. */
const nameOf = ({ name, rate }: { name: string; rate: string }): string => `\u2068${name}\u2069 ${rate}%`;

/** They add up from top to bottom: what takes off stands with its sign. */
const totalsOf = (invoice: PrintedInvoice, amounts: Amounts): Figure[] => {
  const { lines, net, total, adjustments } = invoice;
  const { plain } = amounts;
  const moved = (label: string, amount: number): Figure[] => (amount === 0 ? [] : [{ label, amount: plain(amount) }]);
  return [
    { label: 'Net', amount: plain(net) },
    ...taxesOf(lines).map(({ label, net: on, amount }) => ({ label: `${label} on ${plain(on)}`, amount: plain(amount) })),
    { label: 'Total', amount: plain(total), isSum: true },
    ...moved('Adjustments', adjustments),
    ...moved('Paid', 0 - paidOf(invoice)),
    ...moved('Refunded', refundedOf(invoice)),
    { ...balanceOf(invoice, amounts), isSum: true },
  ];
};

/** A4: each tax at each rate, on what, in the order in which they first stand. */
const taxesOf = (lines: readonly InvoiceLine[]): { label: string; net: number; amount: number }[] => {
  const taxes = new Map<string, { label: string; net: number; amount: number }>();
  for (const line of lines)
    for (const tax of line.taxes) {
      const label = nameOf(tax);
      const before = taxes.get(`${tax.taxId} ${label}`) ?? { label, net: 0, amount: 0 };
      taxes.set(`${tax.taxId} ${label}`, { label, net: before.net + line.net.amount, amount: before.amount + tax.amount.amount });
    }
  return [...taxes.values()];
};

const balanceOf = ({ balance }: PrintedInvoice, { full }: Amounts): Figure =>
  balance < 0 ? { label: 'Credit', amount: full(0 - balance) } : { label: 'Balance due', amount: full(balance) };

const paidOf = ({ payments }: PrintedInvoice): number => payments.reduce((sum, { amount, voided }) => (voided ? sum : sum + amount), 0);

const refundedOf = ({ refunds }: PrintedInvoice): number =>
  refunds.reduce((sum, { amount, status }) => (status === 'succeeded' ? sum + amount : sum), 0);

/** Those of a day in the order in which they came, a payment before its refund. */
const movementsOf = ({ payments, refunds }: PrintedInvoice, { plain }: Amounts): Movement[] =>
  [
    ...payments.map((payment) => ({ ...payment, what: `${wordOf(payment.method)}${payment.voided ? ' (voided)' : ''}` })),
    ...refunds.map((refund) => ({
      ...refund,
      amount: 0 - refund.amount,
      voided: refund.status === 'failed',
      what: `Refund, ${wordOf(refund.method).toLowerCase()}${refund.status === 'succeeded' ? '' : ` (${refund.status})`}`,
    })),
  ]
    .sort((a, b) => (a.on < b.on ? -1 : Number(a.on > b.on)))
    .map(({ on, what, reference, amount, voided }) => ({
      ...{ on: dateText(on), what, reference: reference ?? '', amount: plain(amount), voided },
    }));

const METHODS: Record<string, string> = {
  cash: 'Cash',
  cardTerminal: 'Card terminal',
  bankTransfer: 'Bank transfer',
  stripe: 'Card online',
};

const wordOf = (method: string): string => METHODS[method] ?? 'Other';
