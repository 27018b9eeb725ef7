import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallerRole } from '../../libs/auth/roles.js';
import type { BusinessDescription } from '../../libs/domain/business/business.events.js';
import type { Permissions, Relationship } from '../../libs/domain/client-link/client-link.events.js';
import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import type { ExpiryRule, Limit, Money } from '../../libs/domain/kernel/shapes.js';
import type { Caller } from './caller.js';
import type { Business, Service } from './service.js';

// A business with something to sell, and what its staff do all day, in one line each.

export interface Sold {
  packageId: string;
  offeringId: string;
  clientId: string;
  invoiceId: string;
  name: string;
  status: string;
  soldOn: string;
  expiresOn: string | null;
  services: { serviceId: string; limit: Limit; fee: Money | null; remaining: number | null; adjustments: number; used: number }[];
  sessions: { consumptionId: string; appointmentId: string; outcome: string; on: string; place: string | null }[];
  position: string;
}

export interface Booked {
  appointmentId: string;
  clientId: string;
  serviceId: string;
  packageId: string | null;
  consumptionId: string | null;
  invoiceId: string;
  start: string;
  end: string;
  on: string;
  status: string;
  outcome: string | null;
  soldPackageIds?: string[];
  charge?: { net: Money; total: Money };
  session?: { remaining: number | null; expiresOn: string | null; place: string | null };
  position: string;
}

export interface Invoice {
  invoiceId: string;
  number: string | null;
  kind: string;
  clientId: string;
  packageId: string | null;
  appointmentId: string | null;
  packageInvoiceId: string | null;
  lines: { description: string; net: Money; taxes: { rate: string; amount: Money }[]; total: Money }[];
  net: number;
  tax: number;
  total: number;
  adjustments: number;
  balance: number;
}

export interface LinkSaid {
  relationship: Relationship;
  otherRelationship: Relationship;
  gives: Partial<Permissions>;
  gets: Partial<Permissions>;
}

export interface Linked {
  clientId: string;
  otherClientId: string;
  relationship: string;
  otherRelationship: string;
  gives: Permissions;
  gets: Permissions;
}

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

export interface OfferingSaid {
  name?: string;
  description?: string;
  status?: 'active' | 'inactive';
  services?: { serviceId: string; limit: Limit }[];
  expiryRule?: ExpiryRule;
  payment?: unknown;
  soldOnline?: boolean;
}

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
  const tax = async (name: string, rate: string) => (await owner.post<{ taxId: string }>('/v1/taxes', { name, rate })).taxId;
  const [gst, qst] = [await tax('GST', '5'), await tax('QST', '9.975')];
  const money = (amount: number): Money => ({ amount, currency });
  const offered = async (name: string, price: number, taxIds: string[]) =>
    (await owner.post<{ serviceId: string }>('/v1/services', { name, durationMinutes: 60, price: money(price), taxIds })).serviceId;
  const [massage, facial] = [await offered('Massage', 8_000, [gst, qst]), await offered('Facial', 5_001, [gst])];
  const { providerId } = await owner.post<{ providerId: string }>('/v1/providers', { name: 'Dana Roy', serviceIds: [massage, facial] });
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
    return (await this.owner.post<{ clientId: string }>('/v1/clients', { name })).clientId;
  }

  /** G1: the other one is this to the client; who lets whom do what is said per direction. */
  link(clientId: string, otherClientId: string, said: Partial<LinkSaid> = {}): Promise<Linked> {
    return this.owner.put<Linked>(`/v1/clients/${clientId}/links/${otherClientId}`, { relationship: 'child', ...said });
  }

  /** Five massages, 300.00 upfront with both taxes, without expiry, unless said otherwise. */
  async offering(said: OfferingSaid = {}): Promise<string> {
    const { massage, gst, qst } = this.has;
    const { offeringId } = await this.owner.post<{ offeringId: string }>('/v1/offerings', {
      ...{ name: 'Five massages', status: 'active', services: [{ serviceId: massage, limit: 5 }] },
      payment: { method: 'paidUpfront', fee: this.money(30_000), taxIds: [gst, qst] },
      ...said,
    });
    return offeringId;
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
  async sell(said: OfferingSaid = {}, sale: Record<string, unknown> = {}): Promise<Sold> {
    const offeringId = await this.offering(said);
    return this.owner.post<Sold>('/v1/packages', { offeringId, clientId: sale.clientId ?? (await this.client()), ...sale });
  }

  /** The body of a booking: a massage tomorrow. */
  booking({ clientId, serviceId = this.has.massage, start = this.in(1) }: BookingSaid, packageId?: string) {
    return { clientId, serviceId, providerId: this.has.providerId, start, packageId };
  }

  /** From a package, for its owner. */
  book({ packageId, clientId }: Pick<Sold, 'packageId' | 'clientId'>, said: BookingSaid = {}): Promise<Booked> {
    return this.owner.post<Booked>('/v1/appointments', this.booking({ clientId, ...said }, packageId));
  }

  /** At the regular fee. */
  async bookWithout(said: BookingSaid = {}): Promise<Booked> {
    return this.owner.post<Booked>('/v1/appointments', this.booking({ ...said, clientId: said.clientId ?? (await this.client()) }));
  }

  /** `cancel`, `no-show`, `no-show/undo`, `complete`, `move`…: once the appointment is there. */
  async end({ appointmentId }: Pick<Booked, 'appointmentId'>, how: string, said?: object): Promise<Booked> {
    await this.service.settled();
    return this.owner.post<Booked>(
      `/v1/appointments/${appointmentId}/${how}`,
      said ?? (how.endsWith('undo') || how === 'complete' ? undefined : {}),
    );
  }

  async package({ packageId }: Pick<Sold, 'packageId'>): Promise<Sold & { remaining: number | null; revision: string }> {
    return this.settled(`/v1/packages/${packageId}`);
  }

  async appointment({ appointmentId }: Pick<Booked, 'appointmentId'>): Promise<Booked> {
    return this.settled(`/v1/appointments/${appointmentId}`);
  }

  async invoice({ invoiceId }: { invoiceId: string }): Promise<Invoice> {
    return this.settled(`/v1/invoices/${invoiceId}`);
  }

  /** Once it has its number, which comes moments after it. */
  async numbered(whose: { invoiceId: string }): Promise<Invoice> {
    for (;;) {
      const invoice = await this.invoice(whose);
      if (invoice.number !== null) return invoice;
      await sleep(50);
    }
  }

  /** What is read once all that follows from the commands before has been carried out. */
  private async settled<Body>(path: string): Promise<Body> {
    await this.service.settled();
    return this.owner.get<Body>(path);
  }
}
