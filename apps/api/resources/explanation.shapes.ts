import { INVOICE_FIGURES, type InvoiceFigure } from '../../../libs/domain/invoice/explanation.js';
import { PACKAGE_FIGURES, SERVICE_FIGURES, type PackageFigure, type ServiceFigure } from '../../../libs/domain/package/explanation.js';
import { IsAsOf, IsId, IsInteger, IsLocalDate, IsNested, IsOneOf, IsText } from '../validation/fields.js';
import { AsOfRead } from './answered.js';
import { EventRead } from './history.shapes.js';

const MOST = Number.MAX_SAFE_INTEGER;

export class PackageFigureQuery {
  @IsOneOf([...SERVICE_FIGURES, ...PACKAGE_FIGURES])
  figure: ServiceFigure | PackageFigure;

  @IsId({ optional: true, description: `of which the figure is: of ${SERVICE_FIGURES.join(', ')}` })
  serviceId?: string;

  @IsAsOf()
  asOf?: string;
}

export class InvoiceFigureQuery {
  @IsOneOf(INVOICE_FIGURES)
  figure: InvoiceFigure;

  @IsAsOf()
  asOf?: string;
}

export class ExpiryExplanationQuery {
  @IsAsOf()
  asOf?: string;
}

/** An event's part in a figure. */
class ExplainingEvent extends EventRead {
  @IsInteger({ min: -MOST, max: MOST, nullable: true, description: 'what it adds: sessions, or minor units; null: it is unlimited' })
  adds: number | null;

  @IsInteger({ min: -MOST, max: MOST, nullable: true, description: 'what it has come to with it' })
  sum: number | null;
}

class Explanation {
  @IsInteger({ min: -MOST, max: MOST, nullable: true, description: 'the figure as it is shown: sessions, or minor units; null: unlimited' })
  value: number | null;

  @IsText({ max: 3, nullable: true, description: 'of money; null: sessions' })
  currency: string | null;

  @IsNested(ExplainingEvent, { list: { max: 1_000_000 }, description: 'the events that make it up, in their order: they add up to it' })
  items: ExplainingEvent[];

  @IsNested(AsOfRead, { optional: true, description: 'which past was asked for' })
  asOf?: AsOfRead;
}

export class PackageExplanation extends Explanation {
  @IsId()
  packageId: string;

  @IsOneOf([...SERVICE_FIGURES, ...PACKAGE_FIGURES])
  figure: ServiceFigure | PackageFigure;

  @IsId({ nullable: true })
  serviceId: string | null;
}

export class InvoiceExplanation extends Explanation {
  @IsId()
  invoiceId: string;

  @IsOneOf(INVOICE_FIGURES)
  figure: InvoiceFigure;
}

class ExpiryEvent extends EventRead {
  @IsLocalDate({ nullable: true, description: 'the last valid day before it; null: none' })
  from: string | null;

  @IsLocalDate({ nullable: true, description: 'the last valid day after it; null: none, or none yet' })
  to: string | null;
}

export class ExpiryExplanation {
  @IsId()
  packageId: string;

  @IsLocalDate({ nullable: true, description: 'the last day on which sessions can be used; null: it does not expire, or not yet' })
  expiresOn: string | null;

  @IsNested(ExpiryEvent, {
    list: { max: 1_000_000 },
    description: 'the events that set or moved it, in their order: the last one led to it',
  })
  items: ExpiryEvent[];

  @IsNested(AsOfRead, { optional: true, description: 'which past was asked for' })
  asOf?: AsOfRead;
}
