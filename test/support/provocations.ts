import type { CallerRole } from '../../libs/auth/roles.js';
import { tableName } from '../../libs/projection-engine/sql-names.js';
import { packageUsage } from '../../projections/package-usage.projection.js';
import type { Caller } from './caller.js';
import type { Booked, Clinic, Sold } from './clinic.js';
import { csvOf } from './moving-in.js';
import { ORIGIN, urls, type Bought } from './online-shop.js';
import type { LocalStripe } from './stripe.js';

// What every command is told so that it does something, and so that a rule says no: each time of things of its own.

export interface Told {
  ids?: Record<string, string>; // that stand in its address, where they are others than usual
  body?: unknown; // the least that it takes, unless told
  headers?: Record<string, string>;
  by?: Caller; // whoever usually may
}

/** By the operation's id. */
export type Provocations = Record<string, () => Promise<Told> | Told>;

export interface Ground {
  clinic: Clinic; // takes cards, and lets clients buy online
  stripe: LocalStripe;
  clientId: string;
  offeringId: string; // five massages, sold online
  packageId: string; // one of the client's
  full: Caller; // owner of a business with as many categories as there can be
  keyless: Caller; // the same owner, at an API that has no keys of Stripe
}

const MOST_PRINTED = 2_000; // rows of a statement on paper

export function provocations({ clinic, stripe, clientId, offeringId, packageId, full, keyless }: Ground) {
  const { owner } = clinic;
  const { massage: serviceId, providerId } = clinic.has;
  let named = 0;
  const name = () => `Thing ${(named += 1)}`;
  const made = async <Id extends string>(path: string, body: object): Promise<Record<Id, string>> => owner.post(path, body);
  const cash = (amount: number, more: object = {}) => ({ amount: clinic.money(amount), method: 'cash', ...more });

  const tax = () => ({ name: name(), rate: '5' });
  const service = (more: object = {}) => ({ name: name(), durationMinutes: 60, price: clinic.money(100), ...more });
  const offering = () => ({ name: name(), services: [{ serviceId, limit: 5 }] });
  const anOffering = async () => made<'offeringId'>('/v1/offerings', offering());
  const deleted = async () => {
    const ids = await anOffering();
    await owner.delete(`/v1/offerings/${ids.offeringId}`);
    return ids;
  };
  const category = async () => {
    const { categoryId } = await made<'categoryId'>('/v1/categories', { name: name() });
    return { categoryId };
  };
  const linked = async () => {
    const ids = { clientId: await clinic.client(), otherClientId: await clinic.client() };
    await clinic.link(ids.clientId, ids.otherClientId);
    return ids;
  };
  const forgotten = async () => {
    const ids = { clientId: await clinic.client(), otherClientId: clientId };
    await owner.post(`/v1/clients/${ids.clientId}/forget`);
    return ids;
  };

  const sold = (more: object = {}): Promise<Sold> => owner.post<Sold>('/v1/packages', { offeringId, clientId, ...more });
  const cancelled = async (more: object = {}) => {
    const package_ = await sold(more);
    await owner.post(`/v1/packages/${package_.packageId}/cancel`, {});
    return package_;
  };
  const giveBack = { ...cash(1_000), outcome: 'noOutstandingBalance' };
  const refunded = async () => {
    const package_ = await cancelled({ payment: cash(1_000) });
    await owner.post(`/v1/packages/${package_.packageId}/refunds`, giveBack);
    return package_;
  };
  const paymentOf = async ({ invoiceId }: Sold) => {
    const { payments } = await owner.get<{ payments: { paymentId: string }[] }>(`/v1/invoices/${invoiceId}`);
    return { invoiceId, paymentId: payments[0]!.paymentId };
  };
  const paid = async () => {
    const { invoiceId } = await sold();
    const { balance } = await clinic.invoice({ invoiceId });
    await owner.post(`/v1/invoices/${invoiceId}/payments`, cash(balance));
    return { invoiceId };
  };
  const bought = async (): Promise<Bought> => owner.post<Bought>(`/v1/invoices/${(await sold()).invoiceId}/checkouts`, urls);
  const boughtAndPaid = async () => {
    const purchase = await bought();
    await stripe.pay(purchase.url!);
    return { purchaseId: purchase.purchaseId };
  };

  const booking = () => clinic.booking({ clientId, start: clinic.in(1 + (named += 1) / 10_000) });
  const booked = async (packageId?: string): Promise<Booked> => owner.post<Booked>('/v1/appointments', { ...booking(), packageId });
  const fromPackage = async () => booked((await sold()).packageId);
  const ended = async (how: string, appointment = fromPackage()) => clinic.end(await appointment, how);
  const ids = async (thing: Promise<Partial<Record<'packageId' | 'appointmentId' | 'invoiceId' | 'purchaseId', string | null>>>) => {
    const { packageId, appointmentId, invoiceId, purchaseId } = await thing;
    return { ids: { packageId, appointmentId, invoiceId, purchaseId } as Record<string, string> };
  };
  const series = (more: object = {}) => ({
    ...{ clientId, serviceId, providerId, starts: [clinic.in(2)], externalReference: name() },
    ...more,
  });
  const inactive = async () => (await made<'serviceId'>('/v1/services', service({ active: false }))).serviceId;

  /** Every offering once, and each time in another order. */
  const arrangement = async (): Promise<Told> => {
    const { headers, body } = await owner.send<{ ungrouped: string[]; categories: { categoryId: string; offeringIds: string[] }[] }>(
      'GET',
      '/v1/offering-list',
    );
    const categories = body.categories.map(({ categoryId, offeringIds }) => ({ categoryId, offeringIds }));
    return { body: { ungrouped: body.ungrouped.toReversed(), categories }, headers: { 'if-match': headers.get('etag')! } };
  };
  const row = () => ({ reference: name(), offering: offeringId, client: clientId, remaining: 2, soldOn: clinic.day(-9) });
  const onboarding = { returnUrl: ORIGIN, refreshUrl: ORIGIN };

  const does: Provocations = {
    'taxes.define': () => ({ body: tax() }),
    'taxes.change': async () => ({ ids: await made('/v1/taxes', tax()), body: { name: name() } }),
    'services.define': () => ({ body: service() }),
    'services.change': async () => ({ ids: await made('/v1/services', service()), body: { name: name() } }),
    'providers.register': () => ({ body: { name: name(), serviceIds: [] } }),
    'providers.change': async () => ({ ids: await made('/v1/providers', { name: name(), serviceIds: [] }), body: { name: name() } }),
    'clients.register': () => ({ body: { name: name() } }),
    'clients.change': async () => ({ ids: { clientId: await clinic.client() }, body: { name: name() } }),
    'clients.forget': async () => ({ ids: { clientId: await clinic.client() } }),
    'clientLinks.link': async () => ({ ids: await linked(), body: { relationship: 'other' } }),
    'clientLinks.change': async () => ({ ids: await linked(), body: { relationship: 'other' } }),
    'clientLinks.unlink': async () => ({ ids: await linked() }),
    'settings.change': () => ({ body: { name: name() } }),
    'offerings.define': () => ({ body: offering() }),
    'offerings.change': async () => ({ ids: await anOffering(), body: { name: name() } }),
    'offerings.delete': async () => ({ ids: await anOffering() }),
    'offerings.restore': async () => ({ ids: await deleted() }),
    'offeringList.create': () => ({ body: { name: name() } }),
    'offeringList.rename': async () => ({ ids: await category(), body: { name: name() } }),
    'offeringList.remove': async () => ({ ids: await category() }),
    'offeringList.arrange': arrangement,
    'catalogueFile.load': () => ({ body: { taxes: [{ key: name(), ...tax() }] } }),
    'packages.sell': () => ({ body: { offeringId, clientId } }),
    'packages.adjustRemaining': async () => ({ ids: { ...(await ids(sold())).ids, serviceId }, body: { remaining: 3 } }),
    'packages.adjustExpiry': async () => ({ ...(await ids(sold())), body: { expiresOn: '2031-01-01' } }),
    'packages.restoreExpiry': async () => {
      const told = await ids(sold());
      await owner.put(`/v1/packages/${told.ids.packageId}/expiry`, { expiresOn: '2031-01-01' });
      return told;
    },
    'packages.cancel': () => ids(sold()),
    'packages.reinstate': () => ids(cancelled()),
    'packages.refund': async () => ({ ...(await ids(cancelled({ payment: cash(1_000) }))), body: giveBack }),
    'appointments.book': async () => ({ body: { ...booking(), packageId: (await sold()).packageId } }),
    'appointments.cancel': () => ids(fromPackage()),
    'appointments.complete': () => ids(fromPackage()),
    'appointments.undoCompletion': () => ids(ended('complete')),
    'appointments.markNoShow': () => ids(fromPackage()),
    'appointments.undoNoShow': () => ids(ended('no-show')),
    'appointments.rebook': () => ids(ended('cancel')),
    'appointments.move': async () => ({ ...(await ids(fromPackage())), body: { start: clinic.in(3) } }),
    'appointments.applyPackage': async () => ({ ...(await ids(booked())), body: { packageId: (await sold()).packageId } }),
    'appointments.removePackage': () => ids(fromPackage()),
    'own.book': () => ({ body: { serviceId, providerId, start: clinic.in(1 + (named += 1) / 10_000) } }),
    'own.cancel': () => ids(fromPackage()),
    'own.applyPackage': async () => ({ ...(await ids(booked())), body: { packageId: (await sold()).packageId } }),
    'own.removePackage': () => ids(fromPackage()),
    'series.book': () => ({ body: series() }),
    'series.preview': () => ({ body: series({ packageId }) }),
    'invoices.pay': async () => ({ ...(await ids(sold())), body: cash(1) }),
    'invoices.voidPayment': async () => ({ ids: await paymentOf(await sold({ payment: cash(1_000) })) }),
    'invoices.adjust': async () => ({ ...(await ids(sold())), body: { adjustment: clinic.money(-1) } }),
    'invoices.refund': async () => {
      const told = await ids(booked());
      await owner.post(`/v1/invoices/${told.ids.invoiceId}/payments`, cash(1_000));
      return { ...told, body: giveBack };
    },
    'imports.take': () => ({ body: csvOf([row()]), headers: { 'content-type': 'text/csv' } }),
    'purchases.startCheckout': async () => ({ ...(await ids(sold())), body: urls }),
    'purchases.callOff': () => ids(bought()),
    'ownPurchases.buy': () => ({ body: { offeringId, ...urls } }),
    'ownPurchases.startCheckout': async () => ({ ...(await ids(sold())), body: urls }),
    'ownPurchases.callOff': () => ids(bought()),
    'stripe.connect': async () => ({ body: onboarding, by: await (await clinic.service.createBusiness()).as('owner') }),
  };

  const refused: Provocations = {
    'clients.change': async () => ({ ids: await forgotten(), body: { name: name() } }),
    'clientLinks.link': () => ({ ids: { clientId, otherClientId: clientId }, body: { relationship: 'other' } }),
    'clientLinks.change': async () => ({ ids: await forgotten(), body: { relationship: 'other' } }),
    'offerings.change': async () => ({ ids: await deleted(), body: { name: name() } }),
    'offeringList.create': () => ({ body: { name: name() }, by: full }),
    'packages.sell': async () => ({ body: { offeringId: (await deleted()).offeringId, clientId } }),
    'packages.adjustRemaining': async () => ({ ids: { ...(await ids(cancelled())).ids, serviceId }, body: { remaining: 3 } }),
    'packages.adjustExpiry': async () => ({ ...(await ids(sold())), body: { expiresOn: '2031-01-01', seen: '2030-01-01' } }),
    'packages.restoreExpiry': () => ids(sold()),
    'packages.cancel': async () => ({ ...(await ids(cancelled())), body: { appointments: 'regularFee' } }),
    'packages.reinstate': () => ids(refunded()),
    'packages.refund': async () => ({ ...(await ids(sold({ payment: cash(1_000) }))), body: giveBack }),
    'appointments.book': async () => ({ body: { ...booking(), packageId: (await cancelled()).packageId } }),
    'appointments.cancel': () => ids(ended('complete')),
    'appointments.complete': () => ids(ended('cancel')),
    'appointments.undoCompletion': () => ids(ended('cancel')),
    'appointments.markNoShow': () => ids(ended('cancel')),
    'appointments.undoNoShow': () => ids(booked()),
    'appointments.rebook': () => ids(booked()),
    'appointments.move': async () => ({ ...(await ids(ended('cancel'))), body: { start: clinic.in(3) } }),
    'appointments.applyPackage': async () => ({ ...(await ids(fromPackage())), body: { packageId: (await sold()).packageId } }),
    'appointments.removePackage': () => ids(booked()),
    'own.book': async () => ({ body: { serviceId: await inactive(), providerId, start: clinic.in(1) } }),
    'own.cancel': () => ids(ended('complete')),
    'own.applyPackage': async () => ({ ...(await ids(fromPackage())), body: { packageId: (await sold()).packageId } }),
    'own.removePackage': () => ids(booked()),
    'series.book': async () => ({ body: series({ serviceId: await inactive() }) }),
    'series.preview': async () => ({ body: series({ serviceId: await inactive() }) }),
    'invoices.pay': async () => ({ ids: await paid(), body: cash(1) }),
    'invoices.voidPayment': async () => ({ ids: await paymentOf(await refunded()) }),
    'invoices.adjust': async () => ({ ...(await ids(sold())), body: { adjustment: clinic.money(-1_000_000) } }),
    'invoices.refund': async () => ({ ...(await ids(sold({ payment: cash(1_000) }))), body: giveBack }),
    'purchases.startCheckout': async () => ({ ids: await paid(), body: urls }),
    'purchases.callOff': async () => ({ ids: await boughtAndPaid() }),
    'ownPurchases.buy': async () => ({ body: { offeringId: await clinic.offering(), ...urls } }),
    'ownPurchases.startCheckout': async () => ({ ids: await paid(), body: urls }),
    'ownPurchases.callOff': async () => ({ ids: await boughtAndPaid() }),
    'stripe.connect': () => ({ body: onboarding, by: keyless }),
    'stripe.account': () => ({ by: keyless }),
    'prints.receiptHtml': () => ids(sold()),
    'prints.receiptPdf': () => ids(sold()),
    'ownPrints.receiptHtml': () => ids(sold()),
    'ownPrints.receiptPdf': () => ids(sold()),
    'statementPrints.html': () => lengthy('owner'),
    'statementPrints.pdf': () => lengthy('owner'),
    'ownStatementPrints.html': () => lengthy('client'),
    'ownStatementPrints.pdf': () => lengthy('client'),
  };

  /** Somebody who has used so much that it does not fit on paper, as the read model says it. */
  const lengthy = async (by: CallerRole): Promise<Told> => {
    const { packageId, ...owner } = await sold({ clientId: await clinic.client() });
    await clinic.package({ packageId });
    const usage = tableName(packageUsage);
    await clinic.service.pool.query(
      `INSERT INTO ${usage} SELECT (jsonb_populate_record(u, jsonb_build_object('entry_id', gen_random_uuid(), 'position', -n))).*
         FROM ${usage} u, generate_series(1, ${MOST_PRINTED}) n WHERE package_id = $1`,
      [packageId],
    );
    return { ids: { clientId: owner.clientId }, by: await clinic.business.as(by, by === 'client' ? owner.clientId : undefined) };
  };

  return { does, refused };
}
