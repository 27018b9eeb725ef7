import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallerRole } from '../../libs/auth/roles.js';
import type { Schemas } from '../../libs/api-client/index.js';
import type { BusinessDescription } from '../../libs/domain/business/business.events.js';
import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import type { Limit, Money } from '../../libs/domain/kernel/shapes.js';
import type { Caller } from './caller.js';
import type { Business, Service } from './service.js';

// A business with something to sell, and what its staff do all day, in one line each.

export type Sold = Schemas['SaleAnswer'];
export type Booked = Schemas['AppointmentAnswer'];
export type Invoice = Schemas['InvoiceRead'];
export type Linked = Schemas['LinkAnswer'];

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

export type OfferingSaid = Partial<Schemas['OfferingBody']>;

interface BookingSaid {
  clientId?: string;
  serviceId?: string;
  start?: string;
}

const DAY = 24 * 3_600_000;

/** A business with two taxes, two services, a provider of both; every call here is one over HTTP. */
export async function openClinic(service: Service, said: Partial<Omit<BusinessDescription, 'businessId'>> = {}): Promise<Clinic> {
  const business = await service.createBusiness(said);
  const owner = await business.as('owner');
  const { timeZone = 'America/Toronto', currency = 'CAD' } = said;
  const tax = async (name: string, rate: string) => (await owner.call('taxes.define', { body: { name, rate } })).taxId;
  const [gst, qst] = [await tax('GST', '5'), await tax('QST', '9.975')];
  const money = (amount: number): Money => ({ amount, currency });
  const offered = async (name: string, price: number, taxIds: string[]) =>
    (await owner.call('services.define', { body: { name, durationMinutes: 60, price: money(price), taxIds } })).serviceId;
  const [massage, facial] = [await offered('Massage', 8_000, [gst, qst]), await offered('Facial', 5_001, [gst])];
  const { providerId } = await owner.call('providers.register', { body: { name: 'Dana Roy', serviceIds: [massage, facial] } });
  return new Clinic(service, business, owner, { gst, qst, massage, facial, providerId, timeZone, currency });
}

export class Clinic {
  constructor(
    readonly service: Service,
    readonly business: Business,
    readonly owner: Caller,
    readonly has: Record<'gst' | 'qst' | 'massage' | 'facial' | 'providerId' | 'timeZone' | 'currency', string>,
  ) {}

  as(role: CallerRole): Promise<Caller> {
    return this.business.as(role, role === 'client' ? randomUUID() : undefined);
  }

  money(amount: number): Money {
    return { amount, currency: this.has.currency };
  }

  /** The local date in so many days. */
  day(days: number): string {
    return localDateOf(this.in(days), this.has.timeZone);
  }

  /** The moment in so many days. */
  in(days: number): string {
    return new Date(Date.now() + days * DAY).toISOString();
  }

  async client(name = 'Anna Tremblay'): Promise<string> {
    return (await this.owner.call('clients.register', { body: { name } })).clientId;
  }

  /** G1: the other one is this to the client; who lets whom do what is said per direction. */
  link(clientId: string, otherClientId: string, said: Partial<Schemas['LinkBody']> = {}): Promise<Linked> {
    return this.owner.call('clientLinks.link', { path: { clientId, otherClientId }, body: { relationship: 'child', ...said } });
  }

  /** Five massages, 300.00 upfront with both taxes, without expiry, unless said otherwise. */
  async offering(said: OfferingSaid = {}): Promise<string> {
    const { massage, gst, qst } = this.has;
    const body: Schemas['OfferingBody'] = {
      ...{ name: 'Five massages', status: 'active', services: [{ serviceId: massage, limit: 5 }] },
      payment: { method: 'paidUpfront', fee: this.money(30_000), taxIds: [gst, qst] },
      ...said,
    };
    return (await this.owner.call('offerings.define', { body })).offeringId;
  }

  /** C4: massages, of which each appointment is charged 60.00. */
  eachAppointment(limit: Limit = 5): OfferingSaid {
    const { massage: serviceId } = this.has;
    return {
      services: [{ serviceId, limit }],
      payment: { method: 'paidEachAppointment', fees: [{ serviceId, fee: this.money(6_000) }] },
    };
  }

  /** One package of a new offering, to a new client unless told. */
  async sell(said: OfferingSaid = {}, sale: Partial<Schemas['SaleBody']> = {}): Promise<Sold> {
    const offeringId = await this.offering(said);
    return this.owner.call('packages.sell', { body: { offeringId, clientId: sale.clientId ?? (await this.client()), ...sale } });
  }

  /** The body of a booking: a massage tomorrow. */
  booking({ clientId, serviceId = this.has.massage, start = this.in(1) }: BookingSaid & { clientId: string }, packageId?: string) {
    return { clientId, serviceId, providerId: this.has.providerId, start, packageId };
  }

  /** From a package, for its owner. */
  book({ packageId, clientId }: Pick<Sold, 'packageId' | 'clientId'>, said: BookingSaid = {}): Promise<Booked> {
    return this.owner.call('appointments.book', { body: this.booking({ clientId, ...said }, packageId) });
  }

  /** At the regular fee. */
  async bookWithout(said: BookingSaid = {}): Promise<Booked> {
    const clientId = said.clientId ?? (await this.client());
    return this.owner.call('appointments.book', { body: this.booking({ ...said, clientId }) });
  }

  /** `cancel`, `no-show`, `no-show/undo`, `complete`, `move`…: once the appointment is there. */
  async end({ appointmentId }: Pick<Booked, 'appointmentId'>, how: string, said?: object): Promise<Booked> {
    await this.service.settled();
    return this.owner.post<Booked>(
      `/v1/appointments/${appointmentId}/${how}`,
      said ?? (how.endsWith('undo') || how === 'complete' ? undefined : {}),
    );
  }

  async package({ packageId }: Pick<Sold, 'packageId'>): Promise<Schemas['PackageRead']> {
    await this.service.settled();
    return this.owner.call('packages.read', { path: { packageId } });
  }

  async appointment({ appointmentId }: Pick<Booked, 'appointmentId'>): Promise<Schemas['AppointmentRead']> {
    await this.service.settled();
    return this.owner.call('appointments.read', { path: { appointmentId } });
  }

  async invoice({ invoiceId }: { invoiceId: string }): Promise<Invoice> {
    await this.service.settled();
    return this.owner.call('invoices.read', { path: { invoiceId } });
  }

  /** Once it has its number, which comes moments after it. */
  async numbered(whose: { invoiceId: string }): Promise<Invoice> {
    for (;;) {
      const invoice = await this.invoice(whose);
      if (invoice.number !== null) return invoice;
      await sleep(50);
    }
  }
}
