import { anna, cad, facial, idOf, massage } from '../testing/example.js';
import { termsOf, aFacial, aMassage } from '../testing/example-catalogue.js';
import { invoiceContent } from '../testing/example-invoice.js';
import {
  consumed,
  expiryAdjusted,
  fromPurchase,
  january,
  p,
  remainingAdjusted,
  sale,
  sold,
  soldFacial,
  soldMassage,
} from '../testing/example-package.js';
import { given } from '../testing/given.js';
import { importPackage } from './import.js';
import type { PackageEvent, PackageImportedData, PackageSoldData } from './package.events.js';
import { packageAggregate } from './package.state.js';
import { saleOf } from './sale.js';

const aPackage = given(packageAggregate);
const lastYear = '2026-06-30';

/** Of Anna's five massages three are left, for which she paid 400.00 elsewhere. */
const moved = (over: Partial<PackageImportedData> = {}): PackageImportedData => ({
  ...{ packageId: p, clientId: anna, offeringId: idOf('offering'), source: 'import', reference: 'old-1', soldOn: lastYear },
  ...{ remaining: [{ serviceId: massage, remaining: 3 }], expiresOn: null, amountPaid: cad(400_00), ...over },
});
const imported = (over: Partial<PackageImportedData> = {}): PackageEvent => ({ type: 'PackageImported', data: moved(over) });

const elsewhere = (over: Partial<PackageSoldData> = {}): PackageSoldData =>
  sale({ fee: cad(0), channel: 'import', soldOn: lastYear, services: [soldMassage(5)], externalReference: 'old-1', ...over });
const soldElsewhere = (over: Partial<PackageSoldData> = {}): PackageEvent => ({ type: 'PackageSold', data: elsewhere(over) });
const moveIn = (over: Partial<PackageImportedData> = {}, selling: Partial<PackageSoldData> = {}) => {
  const { expiresOn: _, ...sale } = elsewhere(selling);
  return importPackage({ sale, imported: moved(over) });
};
const importAdjusted = (from: number, to: number): PackageEvent => remainingAdjusted(from, to, { reason: 'import' });

describe('a package that was sold elsewhere', () => {
  it('L7: is sold with the terms of now, then adjusted to what is left of it, in one append', () =>
    aPackage([])
      .when(moveIn())
      .emits([soldElsewhere(), imported(), importAdjusted(5, 3)]));
  it('L7: untouched, nothing is adjusted', () => {
    const whole = { remaining: [{ serviceId: massage, remaining: 5 }] };
    aPackage([])
      .when(moveIn(whole))
      .emits([soldElsewhere(), imported(whole)]);
  });
  it('L7: more may be left than the offering has, as when somebody was generous', () => {
    const more = { remaining: [{ serviceId: massage, remaining: 7 }] };
    aPackage([])
      .when(moveIn(more))
      .emits([soldElsewhere(), imported(more), importAdjusted(5, 7)]);
  });
  it('L7: nothing may be left', () => {
    const none = { remaining: [{ serviceId: massage, remaining: 0 }] };
    aPackage([])
      .when(moveIn(none))
      .emits([soldElsewhere(), imported(none), importAdjusted(5, 0)]);
  });
  it('L7, C2: expires by the rule of its offering, from the day of its sale elsewhere', () =>
    aPackage([])
      .when(moveIn({}, { expiryRule: fromPurchase(12, 'months') }))
      .emits([soldElsewhere({ expiryRule: fromPurchase(12, 'months'), expiresOn: '2027-06-30' }), imported(), importAdjusted(5, 3)]));
  it('L7, F2: unless another day is said', () => {
    const byRule = { expiryRule: fromPurchase(12, 'months'), expiresOn: '2027-06-30' };
    const adjusted: PackageEvent = {
      ...expiryAdjusted('2027-06-30', '2027-12-31'),
      data: { packageId: p, clientId: anna, from: '2027-06-30', to: '2027-12-31', adjustments: 1, reason: 'import' },
    } as PackageEvent;
    aPackage([])
      .when(moveIn({ expiresOn: '2027-12-31' }, byRule))
      .emits([soldElsewhere(byRule), imported({ expiresOn: '2027-12-31' }), importAdjusted(5, 3), adjusted]);
    aPackage([])
      .when(moveIn({ expiresOn: '2027-06-30' }, byRule))
      .emits([soldElsewhere(byRule), imported({ expiresOn: '2027-06-30' }), importAdjusted(5, 3)]);
  });
  it('L7: what is unlimited stays so', () => {
    const services = [soldMassage(5), soldFacial('unlimited')];
    const remaining = [
      { serviceId: massage, remaining: 3 },
      { serviceId: facial, remaining: null },
    ];
    aPackage([])
      .when(moveIn({ remaining }, { services }))
      .emits([soldElsewhere({ services }), imported({ remaining }), importAdjusted(5, 3)]);
  });
  it.each([
    [
      'a service that is not told',
      [soldMassage(5), soldFacial(2)],
      [{ serviceId: massage, remaining: 3 }],
      { serviceId: facial, code: 'REQUIRED' },
    ],
    [
      'a number for what is unlimited',
      [soldMassage('unlimited')],
      [{ serviceId: massage, remaining: 3 }],
      { serviceId: massage, code: 'UNLIMITED' },
    ],
    [
      'unlimited for what is limited',
      [soldMassage(5)],
      [{ serviceId: massage, remaining: null }],
      { serviceId: massage, code: 'NOT_UNLIMITED' },
    ],
  ])('L7: refuses %s', (_, services, remaining, unfit) =>
    aPackage([])
      .when(moveIn({ remaining }, { services }))
      .refuses('REMAINING_UNFIT', { services: [unfit] }),
  );
  it('L7: refuses a service that is not in the offering', () =>
    aPackage([])
      .when(moveIn({ remaining: [...moved().remaining, { serviceId: facial, remaining: 1 }] }))
      .refuses('REMAINING_UNFIT', { services: [{ serviceId: facial, code: 'NOT_IN_OFFERING' }] }));
});

describe('moved in again', () => {
  const before = [soldElsewhere(), imported(), importAdjusted(5, 3)];

  it('L7: the same changes nothing, also after it was used and adjusted', () => {
    aPackage(before).when(moveIn()).emits([]);
    aPackage([...before, consumed('2027-02-01', 2), remainingAdjusted(2, 9, { adjustments: 5 })])
      .when(moveIn())
      .emits([]);
  });
  it('L7: the same changes nothing, though the offering is another by now', () =>
    aPackage(before)
      .when(moveIn({}, { description: 'now with tea', expiryRule: fromPurchase(1, 'weeks') }))
      .emits([]));
  it.each<[string, Partial<PackageImportedData>]>([
    ['another number left', { remaining: [{ serviceId: massage, remaining: 4 }] }],
    ['another client', { clientId: idOf('ben') }],
    ['another day of the sale', { soldOn: january }],
    ['another expiry', { expiresOn: '2027-12-31' }],
    ['another amount', { amountPaid: null }],
  ])('L7: refuses the same reference with %s', (_, other) =>
    aPackage(before).when(moveIn(other)).refuses('ALREADY_IMPORTED', { packageId: p, source: 'import', reference: 'old-1' }),
  );
  it('L7: refuses the reference of what was sold here', () => aPackage([sold()]).when(moveIn()).refuses('ALREADY_IMPORTED'));
});

it('L7, D3: what it is sold for is nothing, its invoice is for tracking, issued on the day on which it is moved in', () => {
  const buying = {
    ...{ packageId: p, offeringId: idOf('offering'), clientId: anna, invoiceId: idOf('ip'), appointmentId: null, purchaseId: null },
    ...{
      channel: 'import' as const,
      currency: 'CAD',
      timeZone: 'America/Toronto',
      today: january,
      soldOn: lastYear,
      externalReference: 'old-1',
    },
  };
  const services = [
    { serviceId: massage, limit: 5 },
    { serviceId: facial, limit: 1 },
  ];
  expect(saleOf(termsOf({ services }), [aMassage, aFacial], [], buying)).toMatchObject({
    ...{ channel: 'import', soldOn: lastYear, charge: { net: cad(0), taxes: [], total: cad(0) } },
    invoice: invoiceContent({
      ...{ invoiceId: idOf('ip'), kind: 'package', packageId: p, appointmentId: null, issuedOn: january },
      lines: [{ description: 'Relax', serviceId: null, net: cad(0) }],
    }),
  });
});
