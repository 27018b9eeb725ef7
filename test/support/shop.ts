import type { Desk, Sent } from './fleet.js';

// What a business needs before it sells, and the commands that staff send, as requests.

export interface Shop {
  serviceId: string;
  providerId: string;
  clientId: string;
}

const DAY = 86_400_000;
const cad = (amount: number) => ({ amount, currency: 'CAD' });

/** Noon of a day from now, as an instant. */
export const daysFromNow = (days: number): string => `${new Date(Date.now() + days * DAY).toISOString().slice(0, 10)}T16:00:00.000Z`;

const post = (path: string, body: object = {}): Sent => ({ method: 'POST', path, body });

/** One taxed service, one who gives it, and one client. */
export async function openShop(desk: Desk, url: string): Promise<Shop> {
  const { taxId } = await desk.get(url, post('/taxes', { name: 'QST', rate: '9.975' }));
  const massage = { name: 'Massage', durationMinutes: 60, price: cad(9_000), taxIds: [taxId] };
  const { serviceId } = await desk.get(url, post('/services', massage));
  const { providerId } = await desk.get(url, post('/providers', { name: 'Dana Roy', serviceIds: [serviceId] }));
  return { serviceId: serviceId!, providerId: providerId!, clientId: await registerClient(desk, url) };
}

export const registerClient = async (desk: Desk, url: string): Promise<string> =>
  (await desk.get(url, post('/clients', { name: 'Anna Tremblay' }))).clientId!;

const terms = ({ serviceId }: Shop, limit: number | 'unlimited') => ({
  name: 'Massages',
  status: 'active',
  services: [{ serviceId, limit }],
});

export const paidUpfront = (shop: Shop, limit: number | 'unlimited' = 5): Sent =>
  post('/offerings', { ...terms(shop, limit), payment: { method: 'paidUpfront', fee: cad(40_000), taxIds: [] } });

export const paidEach = (shop: Shop, limit: number | 'unlimited' = 5, more: object = {}): Sent =>
  post('/offerings', {
    ...terms(shop, limit),
    payment: { method: 'paidEachAppointment', fees: [{ serviceId: shop.serviceId, fee: cad(7_000) }] },
    ...more,
  });

export const sale = ({ clientId }: Pick<Shop, 'clientId'>, offeringId: string, more: object = {}): Sent =>
  post('/packages', { clientId, offeringId, ...more });

export const booking = ({ clientId, serviceId, providerId }: Shop, packageId?: string, days = 1): Sent =>
  post('/appointments', { clientId, serviceId, providerId, start: daysFromNow(days), packageId });

/** One a day, from tomorrow on. */
export const bookingOfSeries = ({ clientId, serviceId, providerId }: Shop, packageId: string, count: number): Sent =>
  post('/series', { clientId, serviceId, providerId, packageId, rule: { start: daysFromNow(1), every: 'day', count } });

export const moving = (appointmentId: string, days: number, more: object = {}): Sent =>
  post(`/appointments/${appointmentId}/move`, { start: daysFromNow(days), ...more });
export const applying = (appointmentId: string, packageId: string): Sent => post(`/appointments/${appointmentId}/package`, { packageId });
export const removal = (appointmentId: string): Sent => ({ method: 'DELETE', path: `/appointments/${appointmentId}/package` });
export const rebooking = (appointmentId: string, more: object = {}): Sent => post(`/appointments/${appointmentId}/rebook`, more);
export const cancellation = (appointmentId: string, more: object = {}): Sent => post(`/appointments/${appointmentId}/cancel`, more);
export const noShow = (appointmentId: string, more: object = {}): Sent => post(`/appointments/${appointmentId}/no-show`, more);
export const noShowUndone = (appointmentId: string, more: object = {}): Sent => post(`/appointments/${appointmentId}/no-show/undo`, more);
export const packageCancellation = (packageId: string, more: object = {}): Sent => post(`/packages/${packageId}/cancel`, more);
export const reinstating = (packageId: string): Sent => post(`/packages/${packageId}/reinstate`);
export const packageRefund = (packageId: string, amount: number, method: 'cash' | 'stripe' = 'cash'): Sent =>
  post(`/packages/${packageId}/refunds`, { amount: cad(amount), outcome: 'noOutstandingBalance', method });

export const deletion = (offeringId: string): Sent => ({ method: 'DELETE', path: `/offerings/${offeringId}` });
export const restoration = (offeringId: string): Sent => ({ method: 'POST', path: `/offerings/${offeringId}/restore` });

export const adjustment = (packageId: string, { serviceId }: Pick<Shop, 'serviceId'>, remaining: number): Sent => ({
  method: 'PUT',
  path: `/packages/${packageId}/services/${serviceId}/remaining`,
  body: { remaining },
});
