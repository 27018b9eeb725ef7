import { IntersectionType } from '@nestjs/swagger';
import type { PurchaseRow } from '../../../projections/purchase-list.projection.js';
import { IsId, IsInstant, IsLocalDate, IsMoney, IsOneOf, IsPositivePrice, IsText, IsWebAddress, MoneyBody } from '../validation/fields.js';
import { Changed, Versioned } from './answered.js';
import { ReturnBody } from './payment.shapes.js';
import { PageOf, PageQuery } from './paging.js';

const STATUS = ['started', 'processing', 'paid', 'failed', 'expired'] as const;
const BECAUSE = ['abandoned', 'offeringUnavailable', 'nothingOwing', 'neverOpened', 'calledOff'] as const;

export class PurchaseBody extends ReturnBody {
  @IsId()
  offeringId: string;
}

export class CheckoutBody extends ReturnBody {
  @IsPositivePrice({ optional: true, nullable: true, description: 'a part of what is owing; all of it unless told' })
  amount?: MoneyBody | null;
}

export class Purchase {
  @IsId()
  purchaseId: string;

  @IsId()
  clientId: string;

  @IsOneOf(['package', 'invoice'], { description: 'a package that is bought online, or what is owing on an invoice' })
  kind: PurchaseRow['kind'];

  @IsText({ max: 200, description: 'what stands on the page to pay at' })
  description: string;

  @IsMoney()
  amount: MoneyBody;

  @IsOneOf(STATUS, {
    description: 'processing: paid by a method that takes days and may fail; only with paid is there money, and what was bought',
  })
  status: PurchaseRow['status'];

  @IsOneOf(BECAUSE, { nullable: true, description: 'why nobody can pay it any more' })
  because: PurchaseRow['because'];

  @IsWebAddress({ nullable: true, description: 'of the page to pay at; null: nobody can pay there' })
  url: string | null;

  @IsInstant({ description: 'when that page ends by itself' })
  expiresAt: string;

  @IsId({ nullable: true, description: 'null until it is paid, if it is bought online' })
  packageId: string | null;

  @IsId({ nullable: true, description: 'null until it is paid, if it is bought online; and where invoices are not shown' })
  invoiceId: string | null;
}

export class PurchaseAnswer extends IntersectionType(Purchase, Changed) {}

export class ListedPurchase extends Purchase {
  @IsId({ nullable: true, description: 'of what is bought online' })
  offeringId: string | null;

  @IsInstant()
  startedAt: string;

  @IsLocalDate({ nullable: true })
  paidOn: string | null;
}

export class PurchaseRead extends IntersectionType(ListedPurchase, Versioned) {}
export class PurchasePage extends PageOf(PurchaseRead) {}

export class PurchasesQuery extends PageQuery {
  @IsOneOf(STATUS, { optional: true })
  status?: PurchaseRow['status'];
}

export class AllPurchasesQuery extends PurchasesQuery {
  @IsId({ optional: true })
  clientId?: string;

  @IsId({ optional: true })
  invoiceId?: string;
}
