import { business, changeBusiness, createBusiness } from '../business/business.js';
import { defaultSettings } from '../business/business.events.js';
import { changeClient, client, registerClient } from '../client/client.js';
import { changeProvider, provider, registerProvider, assertGives } from '../provider/provider.js';
import { assertBookable, changeService, defineService, isOfferable, service } from '../service/service.js';
import { changeTax, defineTax, tax } from '../tax/tax.js';
import { anna, cad, facial, gst, idOf, massage } from '../testing/example.js';
import { aMassage, annaHerself, clinic, zoe } from '../testing/example-catalogue.js';
import { given } from '../testing/given.js';

describe('a tax', () => {
  const defined = { type: 'TaxDefined' as const, data: gst };
  const aTax = given(tax);

  it('A4: is defined', () => aTax([]).when(defineTax(gst)).emits([defined]));
  it('D5: the same again is nothing', () => aTax([defined]).when(defineTax(gst)).emits([]));
  it('A4: another in its place is refused', () =>
    aTax([defined])
      .when(defineTax({ ...gst, rate: '6' }))
      .refuses('ALREADY_EXISTS'));
  it('A4: changes, and says all that it is then', () =>
    aTax([defined])
      .when(changeTax(gst.taxId, { rate: '9.975' }))
      .emits([{ type: 'TaxChanged', data: { ...gst, rate: '9.975' } }]));
  it('A4: a change to what it is, is nothing', () =>
    aTax([defined])
      .when(changeTax(gst.taxId, { rate: '5' }))
      .emits([]));
  it('A4: what is not said stays, also where a field is there without a value', () =>
    aTax([defined])
      .when(changeTax(gst.taxId, { rate: '6', name: undefined }))
      .emits([{ type: 'TaxChanged', data: { ...gst, rate: '6' } }]));
  it('A3: must be there to be changed', () =>
    aTax([])
      .when(changeTax(gst.taxId, { rate: '6' }))
      .refuses('NOT_FOUND'));
});

describe('a business', () => {
  const created = { type: 'BusinessCreated' as const, data: clinic };

  it('A1: is created; a no-show and a late cancellation return the session if nothing else is said', () => {
    given(business)([]).when(createBusiness(clinic)).emits([created]);
    expect(clinic.settings).toMatchObject({ onNoShow: 'returned', onLateCancellation: 'returned' });
  });
  it('A1: changes its settings', () => {
    const settings = { ...defaultSettings, onNoShow: 'forfeited' as const };
    given(business)([created])
      .when(changeBusiness(clinic.businessId, { settings }))
      .emits([{ type: 'BusinessSettingsChanged', data: { ...clinic, settings } }]);
  });
  it('A1: its currency is fixed', () => {
    given(business)([created])
      .when(changeBusiness(clinic.businessId, { currency: 'USD', name: 'Spa' }))
      .refuses('FIXED', { fields: ['currency'] });
    given(business)([created])
      .when(changeBusiness(clinic.businessId, { currency: 'CAD' }))
      .emits([]);
  });
  it('I4: is connected to Stripe by its account, at first to none', () => {
    expect(clinic.settings.stripeAccount).toBeNull();
    const settings = { ...defaultSettings, stripeAccount: 'acct_1' };
    given(business)([created])
      .when(changeBusiness(clinic.businessId, ({ settings: before }) => ({ settings: { ...before, stripeAccount: 'acct_1' } })))
      .emits([{ type: 'BusinessSettingsChanged', data: { ...clinic, settings } }]);
  });
});

describe('a service', () => {
  const defined = { type: 'ServiceDefined' as const, data: aMassage };

  it('B1: is defined', () => given(service)([]).when(defineService(aMassage)).emits([defined]));
  it.each([{ active: false }, { publiclyDisplayed: false }, { price: cad(120_00) }, { taxIds: [] }])('B1: changes %j', (changes) =>
    given(service)([defined])
      .when(changeService(massage, changes))
      .emits([{ type: 'ServiceChanged', data: { ...aMassage, ...changes } }]),
  );

  it.each([
    ['active and displayed', true, true, true],
    ['hidden', true, false, false],
    ['inactive', false, true, false],
    ['neither', false, false, false],
  ])('B2: %s, it can go into an offering or not', (_, active, publiclyDisplayed, offerable) =>
    expect(isOfferable({ ...aMassage, active, publiclyDisplayed })).toBe(offerable),
  );

  it.each([
    ['displayed', {}, undefined, undefined],
    ['hidden', { publiclyDisplayed: false }, undefined, 'SERVICE_HIDDEN'],
    ['inactive', { active: false }, 'SERVICE_INACTIVE', 'SERVICE_INACTIVE'],
  ])('B2: %s, it is booked by staff and by clients or not', (_, over, byStaff, byClient) => {
    const refusal = (asClient: boolean) => codeOf(() => assertBookable({ ...aMassage, ...over }, asClient));
    expect([refusal(false), refusal(true)]).toEqual([byStaff, byClient]);
  });
});

describe('a provider', () => {
  const registered = { type: 'ProviderRegistered' as const, data: zoe };

  it('B1: is registered', () => given(provider)([]).when(registerProvider(zoe)).emits([registered]));
  it('B1: changes', () =>
    given(provider)([registered])
      .when(changeProvider(zoe.providerId, { serviceIds: [facial] }))
      .emits([{ type: 'ProviderChanged', data: { ...zoe, serviceIds: [facial] } }]));
  it.each([
    ['gives it', zoe, massage, undefined],
    ['does not give it', zoe, facial, 'PROVIDER_DOES_NOT_GIVE_SERVICE'],
    ['is not active', { ...zoe, active: false }, massage, 'PROVIDER_INACTIVE'],
  ])('B1: is booked for a service or not: %s', (_, who, serviceId, code) => expect(codeOf(() => assertGives(who, serviceId))).toBe(code));
});

describe('a client', () => {
  const registered = { type: 'ClientRegistered' as const, data: annaHerself };

  it('B1: is registered', () => given(client)([]).when(registerClient(annaHerself)).emits([registered]));
  it('B1: changes', () =>
    given(client)([registered])
      .when(changeClient(anna, { phone: '+1 555 0100' }))
      .emits([{ type: 'ClientChanged', data: { ...annaHerself, phone: '+1 555 0100' } }]));
});

describe('what names an entry', () => {
  const another = idOf('another');

  it.each([
    ['taxId', () => changeTax(gst.taxId, { taxId: another })(gst)],
    ['serviceId', () => changeService(massage, { serviceId: another })(aMassage)],
    ['providerId', () => changeProvider(zoe.providerId, { providerId: another })(zoe)],
    ['clientId', () => changeClient(anna, { clientId: another })(annaHerself)],
    ['businessId', () => changeBusiness(clinic.businessId, { businessId: another })(clinic)],
  ])('L4: its %s can never change', (field, change) => {
    expect(codeOf(change)).toBe('FIXED');
    expect(change).toThrow(field);
  });
});

const codeOf = (act: () => void): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};
