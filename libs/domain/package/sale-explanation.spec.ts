import type { Recorded } from '../kernel/event.js';
import type { Share } from '../kernel/explanation.js';
import { anna, cad, gst, idOf } from '../testing/example.js';
import { issued, received } from '../testing/example-invoice.js';
import { cancelled, expiryAdjusted, january, p, remainingAdjusted, sale, sold, soldMassage } from '../testing/example-package.js';
import type { InvoiceEvent } from '../invoice/invoice.events.js';
import type { PackageEvent } from './package.events.js';
import { explainSale, saleIn, SALES_FIGURES, standingOf } from './sale-explanation.js';

const happened = <Event extends PackageEvent | InvoiceEvent>(...events: Event[]) => events as Recorded<Event>[];
const said = (shares: readonly Share[]) => shares.map(({ event, adds, sum }) => `${event.type} ${adds} → ${sum}`);

const terms = { taxes: [gst], fee: cad(80_00), services: [soldMassage(5)] };
const { invoice } = sale(terms);
const justSold = happened(sold(terms));
const figures = (invoiced: Recorded<InvoiceEvent>[]) =>
  Object.fromEntries(SALES_FIGURES.map((figure) => [figure, explainSale(justSold, invoiced, figure).at(-1)?.sum ?? 0]));

it('J2, K1: in the moments before its invoice is issued, the sale says what will be on it', () => {
  const charged = { packages: 1, fee: 80_00, tax: 4_00, total: 84_00, adjustments: 0, paid: 0, refunded: 0, outstanding: 84_00 };
  expect(figures([])).toEqual(charged);
  expect(figures(happened(issued(invoice)))).toEqual(charged);
  expect(said(explainSale(justSold, [], 'outstanding'))).toEqual(['PackageSold 8400 → 8400']);
});
it('J2, K1: from then on the invoice does; that it was sold stays what the sale says', () => {
  const paid = happened<InvoiceEvent>(issued(invoice), received(1, 50_00, { paid: 50_00, balance: 34_00 }));
  expect(said(explainSale(justSold, paid, 'outstanding'))).toEqual(['InvoiceIssued 8400 → 8400', 'PaymentReceived -5000 → 3400']);
  expect(said(explainSale(justSold, paid, 'packages'))).toEqual(['PackageSold 1 → 1']);
});
it('J2: nothing was sold', () => {
  expect(said(explainSale([], [], 'total'))).toEqual([]);
  expect([saleIn([]), standingOf([], [])]).toEqual([undefined, undefined]);
});
it('J2: in which figures it is: by its sale for ever, and by how it stands', () => {
  const events = happened<PackageEvent>(sold(terms), remainingAdjusted(5, 2), expiryAdjusted(null, '2027-05-01'), cancelled);
  const paid = happened<InvoiceEvent>(issued(invoice), received(1, 50_00, { paid: 50_00, balance: 34_00 }));
  expect(saleIn(events)).toEqual({
    ...{ packageId: p, soldOn: january, clientId: anna, offeringId: idOf('offering'), channel: 'staff', invoiceId: invoice.invoiceId },
  });
  expect(standingOf(events, paid)).toEqual({
    ...{ expiresOn: '2027-05-01', cancelled: true, remaining: 2, paid: 50_00, refunded: 0, outstanding: 34_00 },
  });
  expect(standingOf(happened(sold({ services: [soldMassage('unlimited')] })), [])).toMatchObject({ remaining: null, expiresOn: null });
});
