import type { InvoiceEvent } from '../libs/domain/invoice/invoice.events.js';
import type { InvoiceNumbersEvent } from '../libs/domain/invoice-numbers/invoice-numbers.events.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { anna, cad, facial, gst, idOf } from '../libs/domain/testing/example.js';
import { adjustedBy, issued, received, refunded, refundReturned, regularFee, voided } from '../libs/domain/testing/example-invoice.js';
import {
  cancelled,
  consumed,
  expiryAdjusted,
  expiryRestored,
  january,
  p,
  reinstated,
  remainingAdjusted,
  returned,
  sale,
  sold,
  soldFacial,
  soldMassage,
} from '../libs/domain/testing/example-package.js';
import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { packageSales, type PackageSalesRow } from './package-sales.projection.js';

type Event = PackageEvent | InvoiceEvent | InvoiceNumbersEvent;

const terms = { taxes: [gst], fee: cad(80_00), services: [soldMassage(5), soldFacial(2)] };
const content = sale(terms).invoice;
const aSale: Event[] = [sold(terms), issued(content)];
/** Of the package's invoice. */
const onIt = ({ type, data }: InvoiceEvent): Event => ({ type, data: { ...data, invoiceId: content.invoiceId } }) as InvoiceEvent;

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const rows = (events: readonly Event[]) => fold(packageSales, new Map<string, PackageSalesRow>(), delivered(recorded(events)));
  const row = (events: readonly Event[]) => rows([...aSale, ...events]).get(p)!;

  it('J2: a package as it is sold', () =>
    expect(row([])).toEqual({
      ...{ packageId: p, soldOn: january, invoiceId: idOf('ip'), invoiceNumber: null, clientId: anna, offeringId: idOf('offering') },
      ...{ offeringName: 'Relax', channel: 'staff', currency: 'CAD', fee: 80_00, tax: 4_00, total: 84_00 },
      ...{ adjustments: 0, paid: 0, refunded: 0, outstanding: 84_00, cancelled: false, expiresOn: null, remaining: 7 },
      left: expect.arrayContaining([{ serviceId: facial, remaining: 2 }]) as unknown,
    }));
  it('J2: its number, moments after', () =>
    expect(
      row([{ type: 'InvoiceNumbered', data: { invoiceId: content.invoiceId, year: 2027, number: 7, shown: '2027-000007', through: '2' } }]),
    ).toMatchObject({ invoiceNumber: '2027-000007' }));
  it('J2: what is paid, taken off and given back, with total + adjustments − paid + refunded = outstanding', () => {
    const steps = [
      received(1, 50_00, { paid: 50_00, balance: 34_00 }),
      received(2, 10_00, { paid: 60_00, balance: 24_00 }),
      voided(2, 10_00, { paid: 50_00, balance: 34_00 }),
      adjustedBy(1, -4_00, { paid: 50_00, adjustments: -4_00, balance: 30_00 }),
      refunded(1, 20_00, { paid: 50_00, adjustments: -4_00, refunded: 20_00, balance: 50_00 }),
      refundReturned(1, 20_00, { paid: 50_00, adjustments: -4_00, balance: 30_00 }),
    ].map(onIt);
    steps.forEach((_step, n) => {
      const { total, adjustments, paid, refunded: given, outstanding } = row(steps.slice(0, n + 1));
      expect(total + adjustments - paid + given).toBe(outstanding);
    });
    expect(row(steps.slice(0, 5))).toMatchObject({ adjustments: -4_00, paid: 50_00, refunded: 20_00, outstanding: 50_00 });
    expect(row(steps)).toMatchObject({ refunded: 0, outstanding: 30_00 });
  });
  it('J2: the invoice of an appointment is none of a sale', () =>
    expect(row([issued(regularFee()), received(1, 50_00, { paid: 50_00, balance: 50_00 })])).toEqual(row([])));
  it('J2: what its status follows from: what remains, until when, whether it is cancelled', () => {
    const inMarch = { expiresOn: '2027-03-01' };
    expect(row([consumed('2027-02-01', 4, inMarch)])).toMatchObject({ remaining: 6, ...inMarch });
    expect(row([consumed('2027-02-01', 4, inMarch), returned(5)])).toMatchObject({ remaining: 7, expiresOn: null });
    expect(row([remainingAdjusted(5, 0)])).toMatchObject({ remaining: 2 });
    expect(row([expiryAdjusted(null, '2027-06-30')])).toMatchObject({ expiresOn: '2027-06-30' });
    expect(row([expiryAdjusted(null, '2027-06-30'), expiryRestored('2027-06-30', null, 0)])).toMatchObject({ expiresOn: null });
    expect(row([cancelled])).toMatchObject({ cancelled: true });
    expect(row([cancelled, reinstated()])).toMatchObject({ cancelled: false });
  });
  it('J2: of what is unlimited nothing remains to be counted', () =>
    expect(rows([sold({ services: [soldMassage('unlimited'), soldFacial(1)] })]).get(p)).toMatchObject({ remaining: null }));
});
