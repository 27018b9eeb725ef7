import { Injectable } from '@nestjs/common';
import { notPermitted } from '../../../libs/command-handling/linked-clients.js';
import { NotFound } from '../../../libs/domain/kernel/refusal.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { appointmentList, type AppointmentRow } from '../../../projections/appointment-list.projection.js';
import { businessSettings } from '../../../projections/business-settings.projection.js';
import { invoiceList, type InvoiceRow } from '../../../projections/invoice-list.projection.js';
import type { PackageRow } from '../../../projections/package-list.projection.js';
import type { CallContext } from '../http/call.js';
import { HttpProblem } from '../http/problems.js';
import type { ClientAppointmentsQuery } from './appointment.shapes.js';
import { Bookable } from './bookable.js';
import { BusinessDays } from './business-days.js';
import { withStatus } from './invoices.controller.js';
import type { Sharing } from './link.shapes.js';
import { ManagedAppointments } from './managed-appointments.js';
import {
  SHOWN_OF_PACKAGE,
  type OwnAppointment,
  type OwnAvailablePackagePage,
  type OwnAvailableQuery,
  type OwnPackage,
  type OwnSession,
} from './own.shapes.js';
import { PackageSessions } from './package-sessions.js';
import type { SessionsQuery } from './package-sessions.shapes.js';
import { selected, type ClientPackagesQuery } from './package.shapes.js';
import type { Page } from './paging.js';
import { Reading, type Shown } from './reading.js';
import { SharedPackages } from './shared-packages.js';

/** A caller with the role `client`: whose data they see is in their token. */
export const ownId = ({ clientId }: CallContext): string => {
  if (clientId === undefined) throw new Error('Only clients may call this, and their tokens say which one they are.');
  return clientId;
};

/** Section I: what clients see: their own things, and of those of others what these let them see. All else is not there for them. */
@Injectable()
export class OwnThings {
  constructor(
    private readonly reading: Reading,
    private readonly shared: SharedPackages,
    private readonly sessions: PackageSessions,
    private readonly bookable: Bookable,
    private readonly managed: ManagedAppointments,
    private readonly days: BusinessDays,
  ) {}

  /** I1: own packages, and those that others let the client use. */
  async packages(call: CallContext, query: ClientPackagesQuery): Promise<Page<OwnPackage>> {
    const { items, next } = await this.shared.usableBy(call, ownId(call), query, await selected(query, () => this.days.dateAt(call)));
    const invoices = await this.showsInvoices(call);
    return { items: items.map((item) => packageSeen(call, item, invoices)), next };
  }

  async package(call: CallContext, packageId: string): Promise<OwnPackage> {
    return packageSeen(call, await this.usable(call, packageId), await this.showsInvoices(call));
  }

  /** I1: all sessions of an own package; of one that another shares, those of oneself and of clients whom one may manage. */
  async sessionsOf(call: CallContext, packageId: string, query: SessionsQuery): Promise<Page<OwnSession>> {
    const { clientId } = await this.usable(call, packageId);
    const others = clientId === ownId(call) ? null : await this.managed.othersOf(call, ownId(call));
    const seen = (whose: string): boolean => others === null || whose === ownId(call) || others.has(whose);
    const { items, next } = await this.sessions.of(call, packageId, query, seen);
    const invoices = await this.showsInvoices(call);
    return { items: items.map((item) => ({ ...item, invoiceId: invoiceSeen(call, item, invoices) })), next };
  }

  async bookableServices(call: CallContext, packageId: string, start?: string) {
    await this.usable(call, packageId);
    return this.bookable.servicesOf(call, packageId, start);
  }

  /** I2: what can be picked at booking, for oneself or for a client whom one may manage. */
  async available(call: CallContext, { clientId = ownId(call), ...query }: OwnAvailableQuery): Promise<OwnAvailablePackagePage> {
    await this.assertMayManage(call, clientId);
    const [{ items, next }, invoices] = await Promise.all([this.shared.available(call, { clientId, ...query }), this.showsInvoices(call)]);
    return { items: items.map((item) => ({ ...packageSeen(call, item, invoices), services: item.services })), next };
  }

  /** I5, G5: own appointments, and those of clients whom one may manage. */
  async appointments(call: CallContext, query: ClientAppointmentsQuery): Promise<Page<OwnAppointment>> {
    const { items, next } = await this.managed.of(call, ownId(call), query);
    const invoices = await this.showsInvoices(call);
    return { items: items.map((item) => appointmentSeen(call, item, invoices)), next };
  }

  async appointment(call: CallContext, appointmentId: string): Promise<OwnAppointment> {
    const row = await this.reading.one(appointmentList, call, 'appointment', appointmentId);
    const linkedClient = row.clientId === ownId(call) ? null : (await this.managed.othersOf(call, ownId(call))).get(row.clientId);
    if (linkedClient === undefined) throw new NotFound('appointment', appointmentId);
    return appointmentSeen(call, { ...row, linkedClient }, await this.showsInvoices(call));
  }

  /** I1: an own invoice: never that of another client, and none if the business does not show them. */
  async invoice(call: CallContext, invoiceId: string): Promise<Shown<InvoiceRow>> {
    const row = await this.reading.one(invoiceList, call, 'invoice', invoiceId);
    if (invoiceSeen(call, row, await this.showsInvoices(call)) === null) throw new NotFound('invoice', invoiceId);
    return row;
  }

  /** @throws HttpProblem INVOICES_NOT_SHOWN */
  async assertShowsInvoices(call: CallContext): Promise<void> {
    if (!(await this.showsInvoices(call)))
      throw new HttpProblem(403, 'INVOICES_NOT_SHOWN', 'This business does not show invoices to its clients: ask its staff.');
  }

  /** What the answer to a client's command says of the invoice. */
  async answered<Answer extends { clientId: string; invoiceId: string; externalReference: string | null }>(
    call: CallContext,
    { externalReference: _, ...answer }: Answer,
  ) {
    return { ...answer, invoiceId: invoiceSeen(call, answer, await this.showsInvoices(call)) };
  }

  /** I1, I4: an own purchase; its invoice only if the business shows them. */
  async purchase<Row extends { invoiceId: string | null }>(call: CallContext, row: Row): Promise<Row> {
    return { ...row, invoiceId: (await this.showsInvoices(call)) ? row.invoiceId : null };
  }

  private async usable(call: CallContext, packageId: string): Promise<Shown<PackageRow> & Sharing> {
    const { items } = await this.shared.usableBy(call, ownId(call), { limit: 1 }, { by: 'packageId', where: { packageId } });
    if (!items[0]) throw new NotFound('package', packageId);
    return items[0];
  }

  private async assertMayManage(call: CallContext, clientId: string): Promise<void> {
    if (clientId === ownId(call) || (await this.managed.othersOf(call, ownId(call))).has(clientId)) return;
    throw notPermitted();
  }

  private async showsInvoices(call: CallContext): Promise<boolean> {
    const { settings } = await this.reading.one(businessSettings, call, 'business', call.business);
    return settings.clientsSeeInvoices;
  }
}

type Whose = { clientId: string; invoiceId: string };

const invoiceSeen = (call: CallContext, { clientId, invoiceId }: Whose, invoices: boolean): string | null =>
  invoices && clientId === ownId(call) ? invoiceId : null;

const packageSeen = (call: CallContext, item: Shown<PackageRow> & Sharing, invoices: boolean): OwnPackage => ({
  ...pick(item, ...SHOWN_OF_PACKAGE, 'sharedWith', 'sharedBy', 'revision'),
  invoiceId: invoiceSeen(call, item, invoices),
});

const appointmentSeen = (
  call: CallContext,
  { externalReference: _, soldPackageIds: __, ...item }: Shown<AppointmentRow> & Pick<OwnAppointment, 'linkedClient'>,
  invoices: boolean,
): OwnAppointment => ({ ...item, invoiceId: invoiceSeen(call, item, invoices) });

/** What staff have noted on it is not for the client. */
export const ownInvoice = (row: Shown<InvoiceRow>) =>
  withStatus({
    ...row,
    payments: row.payments.map((payment) => ({ ...payment, reason: null })),
    refunds: row.refunds.map((refund) => ({ ...refund, notes: null, failure: null })),
    overallAdjustments: row.overallAdjustments.map((adjustment) => ({ ...adjustment, reason: null })),
  });
