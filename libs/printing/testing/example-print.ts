import { sum, withTaxes, type Tax } from '../../domain/kernel/money.js';
import type { Money } from '../../domain/kernel/shapes.js';
import { gst, idOf, qst } from '../../domain/testing/example.js';
import type { PrintedInvoice, PrintedPayment } from '../printed-page.js';

type Line = { description: string; net: number; taxes?: readonly Tax[] };

/** A package of five massages at 300.00 with both taxes, sold to Anna, of which nothing is paid; unless said otherwise. */
export const toPrint = ({
  currency = 'CAD',
  lines = [{ description: 'Five massages', net: 300_00, taxes: [gst, qst] }],
  ...over
}: Partial<Omit<PrintedInvoice, 'lines'>> & { lines?: Line[] } = {}): PrintedInvoice => {
  const charged = lines.map(({ description, net, taxes = [] }) => ({
    ...{ description, serviceId: null },
    ...withTaxes({ amount: net, currency }, taxes),
  }));
  const inAll = (amounts: readonly Money[]) => sum(currency, amounts).amount;
  const { adjustments = 0, payments = [], refunds = [] } = over;
  const total = inAll(charged.map((line) => line.total));
  const standing = payments.filter(({ voided }) => !voided).reduce((paid, { amount }) => paid + amount, 0);
  return {
    ...{ invoiceId: idOf('i1'), number: '2027-12', kind: 'package', issuedOn: '2027-01-31', currency, lines: charged },
    ...{ net: inAll(charged.map((line) => line.net)), total, adjustments, payments, refunds },
    balance:
      total +
      adjustments -
      standing +
      refunds.reduce((refunded, { amount, status }) => refunded + (status === 'succeeded' ? amount : 0), 0),
    ...{ business: 'Clinic of the Lakes', client: 'Anna Tremblay', appointment: null },
    package: { name: 'Five massages', invoiceId: null, invoiceNumber: null },
    ...over,
  };
};

export const paid = (amount: number, over: Partial<PrintedPayment> = {}): PrintedPayment => ({
  ...{ on: '2027-02-01', method: 'cash', reference: null, amount, voided: false },
  ...over,
});

/** Names that would break out of a page, or be read the wrong way round. */
export const hostile = {
  script: `<script>alert("1")</script> & 'Söhne' <img src=x onerror=alert(1)>`,
  hebrew: 'מרפאת שלום (Shalom 24) בע"מ',
  arabic: 'عيادة السلام للعلاج الطبيعي (فرع 2)',
  endless: 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(3),
} as const;
