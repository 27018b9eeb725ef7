import { Injectable } from '@nestjs/common';
import { clientLink, linkIdOf, linkSeenBy } from '../../../libs/domain/client-link/client-link.state.js';
import { asInstant } from '../../../libs/domain/kernel/calendar.js';
import { invoice, type IssuedInvoice } from '../../../libs/domain/invoice/invoice.state.js';
import { folded, type Aggregate, type AnyEvent, type Recorded } from '../../../libs/domain/kernel/event.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { packageAggregate, packageView, pendingOf, refundedOf } from '../../../libs/domain/package/package.state.js';
import type { CallContext } from '../http/call.js';
import type { RequestError } from '../http/problems.js';
import type { PackageAsOf, AsOfQuery, EventRead, InvoiceHistory, LinkHistory, PackageHistory } from './history.shapes.js';
import { Past } from './past.js';
import { Streams } from './streams.js';

/** K1, K2: read from the events themselves, not from a read model: what an auditor replays is what was stored. */
@Injectable()
export class History {
  constructor(
    private readonly streams: Streams,
    private readonly past: Past,
  ) {}

  /** K1: every event of a package, and what was left after each. */
  async ofPackage(call: CallContext, packageId: string): Promise<PackageHistory> {
    const items = await this.of(packageAggregate, call, packageId, (state) => {
      const { status, expiresOn, services, refunds, currency } = packageView(state);
      const money = { refunds, currency };
      return { status, expiresOn, services, refunded: refundedOf(money), pending: pendingOf(money) };
    });
    return { packageId, items };
  }

  /** K1: every event of an invoice, and what was owing after each. */
  async ofInvoice(call: CallContext, invoiceId: string): Promise<InvoiceHistory> {
    const items = await this.of(invoice, call, invoiceId, (state) =>
      pick(state as IssuedInvoice, 'total', 'adjustments', 'paid', 'refunded', 'pending', 'balance'),
    );
    return { invoiceId, items };
  }

  /** K1: every change of the link of two clients, as the first of them saw it. */
  async ofLink(call: CallContext, clientId: string, otherClientId: string): Promise<LinkHistory> {
    const items = await this.of(clientLink, call, linkIdOf(clientId, otherClientId), (state) =>
      state.status === 'linked' ? linkSeenBy(clientId, state) : null,
    );
    return { items };
  }

  private async of<State, Event extends AnyEvent, After>(
    aggregate: Aggregate<State, Event>,
    call: CallContext,
    id: string,
    afterwards: (state: State) => After,
  ) {
    let state = structuredClone(aggregate.initial);
    return (await this.streams.events(aggregate, call, id)).map((event) => {
      state = aggregate.evolve(state, event);
      return { ...eventRead(event), data: event.data as object, after: afterwards(state) };
    });
  }

  /** K2: the package as it was at a moment, or after an event. */
  async asOf(call: CallContext, packageId: string, { at, revision }: AsOfQuery): Promise<PackageAsOf> {
    if ((at === undefined) === (revision === undefined)) throw neitherOrBoth();
    const then = at === undefined ? undefined : await this.past.at(call, asInstant(at));
    const all = await this.streams.eventsAsOf(packageAggregate, call, packageId, then?.position);
    const events = revision === undefined ? all : all.filter((event) => event.revision <= BigInt(revision));
    const last = events.at(-1)!; // the first is there
    return { ...packageView(folded(packageAggregate, events)), revision: String(last.revision), at: last.metadata.time };
  }
}

const neitherOrBoth = (): InvalidInput => {
  const message = 'Ask for either a moment (at) or an event number (revision).';
  const error: RequestError = { field: '/at', in: 'query', code: 'ONE_OF', message };
  return new InvalidInput([error]);
};

export const eventRead = ({ id, type, revision, position, metadata, data }: Recorded): EventRead => ({
  ...{ eventId: id, type, revision: String(revision), position: String(position) },
  ...{ at: metadata.time, actorId: metadata.actor.id, actorRole: metadata.actor.role },
  reason: reasonIn(data as Reasons),
});

interface Reasons {
  reason?: string | null;
  notes?: string | null; // of a refund
  failure?: string | null; // of one that failed at Stripe
}

const reasonIn = ({ reason, notes, failure }: Reasons): string | null => reason ?? notes ?? failure ?? null;
