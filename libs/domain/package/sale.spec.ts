import type { Terms } from '../offering/offering.events.js';
import type { ServiceDescription } from '../service/service.events.js';
import { anna, cad, facial, gst, idOf, massage, qst } from '../testing/example.js';
import { aFacial, aMassage, termsOf } from '../testing/example-catalogue.js';
import { invoiceContent } from '../testing/example-invoice.js';
import { fromPurchase, january, p, sale, sold, soldFacial, soldMassage } from '../testing/example-package.js';
import { given } from '../testing/given.js';
import { sellPackage } from './package.decisions.js';
import { packageAggregate } from './package.state.js';
import { saleOf, type Buying } from './sale.js';

const terms = (over: Partial<Terms> = {}): Terms => termsOf({ services: [{ serviceId: massage, limit: 1 }], ...over });
const costing = (amount: number, service: ServiceDescription): ServiceDescription => ({ ...service, price: cad(amount) });
const paidEach = (...fees: [serviceId: string, amount: number][]): Terms['payment'] => ({
  method: 'paidEachAppointment',
  fees: fees.map(([serviceId, amount]) => ({ serviceId, fee: cad(amount) })),
});
const buying: Buying = {
  ...{ packageId: p, offeringId: idOf('offering'), clientId: anna, invoiceId: idOf('ip'), channel: 'staff' },
  ...{ appointmentId: null, purchaseId: null, currency: 'CAD', timeZone: 'America/Toronto', today: january, externalReference: null },
};

const withoutExpiry = ({ expiresOn: _, ...data }: ReturnType<typeof sale>) => data;
const weightsOf = (services: Terms['services'], described: ServiceDescription[]) =>
  saleOf(terms({ services }), described, [], buying).services.map(({ weight }) => weight);

describe('a sale', () => {
  it("D1: pins the offering's terms as sold", () =>
    expect(saleOf(terms(), [aMassage], [gst, qst], buying)).toEqual(withoutExpiry(sale({ taxes: [gst, qst] }))));
  it('D1: can be sold as it is', () =>
    given(packageAggregate)([])
      .when(sellPackage({ ...saleOf(terms({ expiryRule: fromPurchase(10, 'days') }), [aMassage], [], buying), apply: null }))
      .emits([sold({ expiryRule: fromPurchase(10, 'days'), expiresOn: '2027-02-10' })]));
  it('D1: names the appointment from which it is made, also on its invoice', () =>
    expect(saleOf(terms(), [aMassage], [], { ...buying, appointmentId: idOf('a1') })).toMatchObject({
      ...{ appointmentId: idOf('a1'), invoice: { appointmentId: idOf('a1') } },
    }));
  it('I4: names its online purchase', () =>
    expect(saleOf(terms(), [aMassage], [], { ...buying, channel: 'online', purchaseId: idOf('purchase') })).toMatchObject({
      ...{ channel: 'online', purchaseId: idOf('purchase') },
    }));
  it('B1: has its own external reference, not that of the offering', () =>
    expect(
      saleOf(terms({ externalReference: 'of the offering' }), [aMassage], [], { ...buying, externalReference: 'of the sale' })
        .externalReference,
    ).toBe('of the sale'));
  it('C1: is not made of terms that are unfinished', () =>
    expect(() => saleOf(terms({ payment: null }), [aMassage], [], buying)).toThrow());
});

describe('what a sale costs', () => {
  it('C3: paid upfront, one package fee with its own taxes', () => {
    const { charge, services, paymentMethod } = saleOf(terms(), [aMassage], [gst, qst], buying);
    expect(paymentMethod).toBe('paidUpfront');
    expect(charge).toEqual({
      ...{ net: cad(80_00), total: cad(91_98) },
      taxes: [
        { ...gst, amount: cad(4_00) },
        { ...qst, amount: cad(7_98) },
      ],
    });
    expect(services[0]!.fee).toBeNull();
  });
  it('C4: paid each appointment, nothing now and no tax; the fee of each service is pinned', () => {
    const services: Terms['services'] = [massage, facial].map((serviceId) => ({ serviceId, limit: 2 }));
    const assigned = saleOf(terms({ services, payment: paidEach([facial, 60_00], [massage, 75_00]) }), [aMassage, aFacial], [gst], buying);
    expect(assigned.charge).toEqual({ net: cad(0), taxes: [], total: cad(0) });
    expect(assigned.services).toEqual([soldMassage(2, { fee: cad(75_00) }), { ...soldFacial(2), fee: cad(60_00) }]);
  });
  it('C4: a fee of nothing is a fee', () =>
    expect(saleOf(terms({ payment: paidEach([massage, 0]) }), [aMassage], [], buying).services[0]!.fee).toEqual(cad(0)));
});

describe('the invoice of a sale', () => {
  const ofSale = { invoiceId: idOf('ip'), kind: 'package', packageId: p, appointmentId: null, issuedOn: january } as const;

  it('D3: with fee and taxes when paid upfront', () =>
    expect(saleOf(terms(), [aMassage], [gst, qst], buying).invoice).toEqual(
      invoiceContent({ ...ofSale, lines: [{ description: 'Relax', serviceId: null, net: cad(80_00), taxes: [gst, qst] }] }),
    ));
  it('D3: with zero total, for tracking, when paid each appointment', () => {
    const { invoice } = saleOf(terms({ payment: paidEach([massage, 75_00]) }), [aMassage], [gst], buying);
    expect(invoice).toEqual(invoiceContent({ ...ofSale, lines: [{ description: 'Relax', serviceId: null, net: cad(0) }] }));
    expect(invoice.total).toEqual({ net: cad(0), tax: cad(0), total: cad(0) });
  });
  it('E9: is issued to the buyer on the day of the sale', () =>
    expect(saleOf(terms(), [aMassage], [], { ...buying, today: '2027-03-01' })).toMatchObject({
      ...{ soldOn: '2027-03-01', invoice: { issuedOn: '2027-03-01', clientId: anna } },
    }));
});

describe('the weight of a service in the value of a package', () => {
  const limits = (...each: Terms['services'][number]['limit'][]): Terms['services'] =>
    each.map((limit, n) => ({ serviceId: [massage, facial][n]!, limit }));

  it("H4: is the service's price at the sale", () =>
    expect(weightsOf(limits(5, 1), [aMassage, costing(60_00, aFacial)])).toEqual([100_00, 60_00]));
  it('H4: is nothing for a free service beside one with a price', () =>
    expect(weightsOf(limits(5, 1), [aMassage, costing(0, aFacial)])).toEqual([100_00, 0]));
  it('H4: is the same for all if all prices are 0', () =>
    expect(weightsOf(limits(5, 1), [costing(0, aMassage), costing(0, aFacial)])).toEqual([1, 1]));
  it('H4: is unknown for all with an unlimited service, also one that is free', () => {
    expect(weightsOf(limits('unlimited', 1), [aMassage, aFacial])).toEqual([null, null]);
    expect(weightsOf(limits(5, 'unlimited'), [aMassage, costing(0, aFacial)])).toEqual([null, null]);
  });
  it('H4: prices are those of the sale, beside the fee of each appointment', () =>
    expect(saleOf(terms({ payment: paidEach([massage, 75_00]) }), [aMassage], [], buying).services[0]).toMatchObject({
      ...{ price: cad(100_00), weight: 100_00, fee: cad(75_00) },
    }));
});
