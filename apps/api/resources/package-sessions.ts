import { Injectable } from '@nestjs/common';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { existing } from '../../../libs/domain/package/package.decisions.js';
import { packageAggregate, placesOf } from '../../../libs/domain/package/package.state.js';
import type { CallContext } from '../http/call.js';
import type { Page } from './paging.js';
import type { PackageSession, SessionsQuery } from './package-sessions.shapes.js';
import { Reading } from './reading.js';
import { Streams } from './streams.js';

/** E2: the sessions of a package by when they are, each with its place: worked out from the events themselves, never stored. */
@Injectable()
export class PackageSessions {
  constructor(
    private readonly streams: Streams,
    private readonly reading: Reading,
  ) {}

  /** @param shown whose sessions; those of all who use the package, unless told */
  async of(
    call: CallContext,
    packageId: string,
    { serviceId, outcome, ...page }: SessionsQuery,
    shown: (clientId: string) => boolean = () => true,
  ): Promise<Page<PackageSession>> {
    const sold = existing(await this.streams.state(packageAggregate, call, packageId), packageId);
    const places = placesOf(sold);
    const sessions = [...sold.sessions.values()]
      .filter(({ clientId }) => shown(clientId))
      .filter((session) => (serviceId ?? session.serviceId) === session.serviceId && (outcome ?? session.outcome) === session.outcome)
      .map((session) => ({
        ...pick(
          session,
          'consumptionId',
          'appointmentId',
          'invoiceId',
          'serviceId',
          'clientId',
          'providerId',
          'start',
          'end',
          'on',
          'outcome',
          'charge',
        ),
        serviceName: sold.services.get(session.serviceId)!.name,
        place: places.get(session.consumptionId) ?? null,
      }));
    return this.reading.pageOf('package_sessions', sessions, page, ({ start, consumptionId }) => ({ value: start, id: consumptionId }));
  }
}
