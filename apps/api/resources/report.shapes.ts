import { IsAsOf, IsFlag, IsId, IsInteger, IsInvoiceNumber, IsLocalDate, IsNested, IsOneOf, IsText } from '../validation/fields.js';
import { AsOfRead } from './answered.js';
import { IsCursor, IsPageSize, PageOf } from './paging.js';
import { TotalsOf } from './totals.shapes.js';

const SAFE = Number.MAX_SAFE_INTEGER;
const MOST = 1_000_000;
const CHANNELS = ['staff', 'online', 'import'] as const;
export const SALES_STATUSES = ['refunded', 'cancelled', 'expired', 'usedUp', 'active'] as const;
const SALES_SORTS = [
  ...['soldOn', 'invoiceNumber', 'client', 'offering', 'status', 'expiresOn'],
  ...['fee', 'tax', 'total', 'adjustments', 'paid', 'refunded', 'outstanding'],
] as const;
export const SALES_GROUPS = ['day', 'month', 'client', 'offering', 'status'] as const;

/** J2: which packages sold. Days are those of the business, both ends included. */
export class SalesFilters {
  @IsLocalDate({ optional: true, description: 'sold on this day or later' })
  soldFrom?: string;

  @IsLocalDate({ optional: true, description: 'sold on this day or earlier' })
  soldUntil?: string;

  @IsId({ optional: true, description: 'the owner' })
  clientId?: string;

  @IsId({ optional: true })
  offeringId?: string;

  @IsOneOf(SALES_STATUSES, { optional: true, description: 'as of today' })
  status?: (typeof SALES_STATUSES)[number];

  @IsOneOf(CHANNELS, { optional: true, description: 'import: sold elsewhere and moved in; nothing was charged here' })
  channel?: (typeof CHANNELS)[number];

  @IsFlag({ optional: true, description: 'those on which something is owing' })
  owing?: boolean;

  @IsLocalDate({ optional: true, description: 'those whose last valid day is this one or an earlier one' })
  expiringUntil?: string;

  @IsAsOf()
  asOf?: string;
}

const SORT = { optional: true, description: 'soldOn unless told; rows without a value come last' };

class SalesOrder extends SalesFilters {
  @IsOneOf(SALES_SORTS, SORT)
  sort?: (typeof SALES_SORTS)[number];

  @IsFlag({ optional: true })
  descending?: boolean;
}

export class SalesQuery extends SalesOrder {
  @IsPageSize()
  limit?: number;

  @IsCursor()
  cursor?: string;
}

export const BOM = { optional: true, description: 'begin with a byte order mark, so that a spreadsheet takes it for UTF-8' };

export class SalesFileQuery extends SalesOrder {
  @IsFlag(BOM)
  bom?: boolean;
}

export class SalesTotalsQuery extends SalesFilters {
  @IsOneOf(SALES_GROUPS)
  by: (typeof SALES_GROUPS)[number];

  @IsFlag({ optional: true })
  descending?: boolean;

  @IsPageSize()
  limit?: number;

  @IsCursor()
  cursor?: string;
}

class SalesFigures {
  @IsInteger({ min: 0, max: SAFE, description: 'before taxes; minor units, like all amounts here' })
  fee: number;

  @IsInteger({ min: 0, max: SAFE })
  tax: number;

  @IsInteger({ min: 0, max: SAFE })
  total: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'below zero where they take off' })
  adjustments: number;

  @IsInteger({ min: 0, max: SAFE, description: 'by payments that stand' })
  paid: number;

  @IsInteger({ min: 0, max: SAFE })
  refunded: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'total + adjustments − paid + refunded; below zero it is credit' })
  outstanding: number;
}

/** J2: a package sold. */
class Sale extends SalesFigures {
  @IsLocalDate()
  soldOn: string;

  @IsId()
  invoiceId: string;

  @IsInvoiceNumber({ nullable: true, description: 'null in the moments before it has one' })
  invoiceNumber: string | null;

  @IsId()
  packageId: string;

  @IsId({ description: 'the owner' })
  clientId: string;

  @IsText({ max: 200, min: 0 })
  clientName: string;

  @IsId()
  offeringId: string;

  @IsText({ max: 200, description: 'as it was sold' })
  offeringName: string;

  @IsOneOf(CHANNELS)
  channel: (typeof CHANNELS)[number];

  @IsOneOf(SALES_STATUSES, { description: 'as of today, the first that fits' })
  status: (typeof SALES_STATUSES)[number];

  @IsLocalDate({ nullable: true, description: 'the last day on which sessions can be used; null: none' })
  expiresOn: string | null;

  @IsInteger({ min: 0, max: MOST, nullable: true, description: 'sessions of all services together; null: one is unlimited' })
  remaining: number | null;

  @IsText({ max: 3 })
  currency: string;
}

const WHICH_PAST = { optional: true, description: 'which past was asked for' };

export class SalesPage extends PageOf(Sale) {
  @IsNested(AsOfRead, WHICH_PAST)
  asOf?: AsOfRead;
}

class SalesTotal extends SalesFigures {
  @IsInteger({ min: 0, max: SAFE, description: 'how many were sold' })
  packages: number;
}

class SalesSubTotal extends SalesTotal {
  @IsText({ max: 64, description: 'the day, the month, the status, or the id of the client or offering' })
  key: string;

  @IsText({ max: 200, min: 0, description: 'what it is called; of days, months and statuses, the key' })
  name: string;
}

export class SalesTotals extends TotalsOf(SALES_GROUPS, SalesSubTotal, SalesTotal) {
  @IsNested(AsOfRead, WHICH_PAST)
  asOf?: AsOfRead;
}
