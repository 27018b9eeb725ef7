import { Injectable } from '@nestjs/common';
import { appointmentList, type AppointmentRow } from '../../../projections/appointment-list.projection.js';
import { clientList } from '../../../projections/client-list.projection.js';
import type { CallContext } from '../http/call.js';
import type { ClientAppointmentsQuery } from './appointment.shapes.js';
import { BusinessDays } from './business-days.js';
import type { LinkedClient } from './link.shapes.js';
import { linkedClient, Links } from './links.js';
import type { Page } from './paging.js';
import { Reading, type Shown } from './reading.js';

type Managed = Shown<AppointmentRow> & { linkedClient: LinkedClient | null };

/** G5: a client's own appointments and those of others who let the client manage them, marked as another client's. */
@Injectable()
export class ManagedAppointments {
  constructor(
    private readonly reading: Reading,
    private readonly links: Links,
    private readonly days: BusinessDays,
  ) {}

  async of(
    call: CallContext,
    clientId: string,
    { status, descending, limit, cursor, ...span }: ClientAppointmentsQuery,
  ): Promise<Page<Managed>> {
    await this.reading.one(clientList, call, 'client', clientId);
    const others = await this.othersOf(call, clientId);
    const { from, before } = await this.days.within(call, span);
    const { items, next } = await this.reading.page(
      appointmentList,
      call,
      { limit, cursor },
      {
        ...{ by: 'start', descending, where: { status }, among: { clientId: [clientId, ...others.keys()] } },
        ...{ from: { start: from }, before: { start: before } },
      },
    );
    return { items: items.map((item) => ({ ...item, linkedClient: others.get(item.clientId) ?? null })), next };
  }

  /** Those who let the client manage their appointments. */
  async othersOf(call: CallContext, clientId: string): Promise<Map<string, LinkedClient>> {
    const links = await this.links.because(call, [clientId], ({ gets }) => gets.bookAndManageAppointments);
    return new Map(links.map((link) => [link.otherClientId, linkedClient(link)]));
  }
}
