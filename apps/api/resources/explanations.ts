import { Injectable } from '@nestjs/common';
import { explainInvoice, type InvoiceFigure } from '../../../libs/domain/invoice/explanation.js';
import { invoice, type IssuedInvoice } from '../../../libs/domain/invoice/invoice.state.js';
import { folded } from '../../../libs/domain/kernel/event.js';
import type { Share } from '../../../libs/domain/kernel/explanation.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { InvalidInput, NotFound } from '../../../libs/domain/kernel/refusal.js';
import {
  explainExpiry,
  explainRefunds,
  explainService,
  SERVICE_FIGURES,
  type PackageFigure,
  type ServiceFigure,
} from '../../../libs/domain/package/explanation.js';
import { packageAggregate, pendingOf, refundedOf, type SoldPackage } from '../../../libs/domain/package/package.state.js';
import type { CallContext } from '../http/call.js';
import type { RequestError } from '../http/problems.js';
import type {
  ExpiryExplanation,
  ExpiryExplanationQuery,
  InvoiceExplanation,
  InvoiceFigureQuery,
  PackageExplanation,
  PackageFigureQuery,
} from './explanation.shapes.js';
import { eventRead } from './history.js';
import { Past } from './past.js';
import { Streams } from './streams.js';

/** Why a figure is what it is: the events that add up to it, read from what is stored, as it is now or as of then. */
@Injectable()
export class Explanations {
  constructor(
    private readonly streams: Streams,
    private readonly past: Past,
  ) {}

  async ofPackage(call: CallContext, packageId: string, { figure, serviceId, asOf }: PackageFigureQuery): Promise<PackageExplanation> {
    const then = await this.past.of(call, asOf);
    const events = await this.streams.eventsAsOf(packageAggregate, call, packageId, then.call.asOf?.position);
    const sold = folded(packageAggregate, events) as SoldPackage;
    const about = { packageId, figure, ...pick(then, 'asOf') };
    if (!isOfService(figure)) {
      const value = (figure === 'refunded' ? refundedOf(sold) : pendingOf(sold)).amount;
      return { ...about, serviceId: null, value, currency: sold.currency, items: explainRefunds(events, figure).map(itemOf) };
    }
    if (serviceId === undefined) throw whichService(figure);
    const service = sold.services.get(serviceId);
    if (!service) throw new NotFound('service', serviceId);
    return { ...about, serviceId, value: service[figure], currency: null, items: explainService(events, serviceId, figure).map(itemOf) };
  }

  /** E3, F2: why a package ends on that day. */
  async ofExpiry(call: CallContext, packageId: string, { asOf }: ExpiryExplanationQuery): Promise<ExpiryExplanation> {
    const then = await this.past.of(call, asOf);
    const events = await this.streams.eventsAsOf(packageAggregate, call, packageId, then.call.asOf?.position);
    const { expiresOn } = folded(packageAggregate, events) as SoldPackage;
    const items = explainExpiry(events).map(({ event, ...step }) => ({ ...eventRead(event), ...step }));
    return { packageId, expiresOn, items, ...pick(then, 'asOf') };
  }

  async ofInvoice(call: CallContext, invoiceId: string, { figure, asOf }: InvoiceFigureQuery): Promise<InvoiceExplanation> {
    const then = await this.past.of(call, asOf);
    const events = await this.streams.eventsAsOf(invoice, call, invoiceId, then.call.asOf?.position);
    const issued = folded(invoice, events) as IssuedInvoice;
    const { currency } = issued.total;
    return {
      invoiceId,
      figure,
      value: valueOf(issued, figure),
      currency,
      items: explainInvoice(events, figure).map(itemOf),
      ...pick(then, 'asOf'),
    };
  }
}

const isOfService = (figure: ServiceFigure | PackageFigure): figure is ServiceFigure =>
  (SERVICE_FIGURES as readonly string[]).includes(figure);

const valueOf = (issued: IssuedInvoice, figure: InvoiceFigure): number => {
  const tax = issued.taxes.reduce((sum, { amount }) => sum + amount.amount, 0);
  if (figure === 'tax') return tax;
  return figure === 'net' ? issued.total.amount - tax : issued[figure].amount;
};

const itemOf = ({ event, adds, sum }: Share) => ({ ...eventRead(event), adds, sum });

const whichService = (figure: ServiceFigure): InvalidInput => {
  const message = `Say of which service: ${figure} is a figure of each by itself.`;
  const error: RequestError = { field: '/serviceId', in: 'query', code: 'REQUIRED', message };
  return new InvalidInput([error]);
};
