import { IntersectionType } from '@nestjs/swagger';
import type { SaleInput } from '../../../libs/command-handling/commands/package.commands.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import type { ExpiryRule, Limit } from '../../../libs/domain/kernel/shapes.js';
import {
  IsAsOf,
  IsFlag,
  IsId,
  IsInstant,
  IsInteger,
  IsLimit,
  IsLocalDate,
  IsMoney,
  IsNested,
  IsOneOf,
  IsText,
  IsVariant,
  MoneyBody,
} from '../validation/fields.js';
import type { Knex } from 'knex';
import { directory } from '../../../projections/directory.projection.js';
import type { Flag } from '../../../projections/package-list.projection.js';
import { AsOfRead, Changed, Versioned } from './answered.js';
import { EXPIRY } from './expiry.shapes.js';
import { DisputeOfCard, OUTCOMES_OF_REFUNDS, SOURCES_OF_REFUNDS, STATUSES_OF_REFUNDS } from './invoice.shapes.js';
import { Sharing } from './link.shapes.js';
import { Charge } from './money.shapes.js';
import { AT_THE_DESK, paymentOf, WITH_A_SALE, type CardPaymentBody, type PaymentBody } from './payment.shapes.js';
import { PageOf, PageQuery } from './paging.js';
import { Purchase } from './purchase.shapes.js';

const MOST = 1_000_000;

export class SaleBody {
  @IsId()
  clientId: string;

  @IsId()
  offeringId: string;

  @IsId({ optional: true, description: 'the appointment from which it is sold; it is then linked to the sale' })
  appointmentId?: string;

  @IsFlag({ optional: true, description: 'also take a session for that appointment' })
  applyToAppointment?: boolean;

  @IsVariant('method', WITH_A_SALE, {
    optional: true,
    nullable: true,
    description: 'what is paid with the sale: all or a part; the rest stays owing, and so does what is to be paid by card until it is',
  })
  payment?: PaymentBody | CardPaymentBody | null;

  @IsText({ max: 200, optional: true, nullable: true })
  externalReference?: string | null;
}

/** D2: at the desk, with the sale; or by card, at a page of Stripe, now that it is sold. */
export const paidWith = ({ payment }: SaleBody): Pick<SaleInput, 'payment' | 'card'> => {
  if (!payment) return { payment: null };
  if (payment.method !== 'stripe') return { payment: paymentOf(payment) };
  return { payment: null, card: pick(payment, 'amount', 'successUrl', 'cancelUrl') };
};

export class ReasonBody {
  @IsText({ max: 500, lines: true, optional: true, nullable: true, description: 'kept in the audit tags' })
  reason?: string | null;
}

class AdjustmentBody extends ReasonBody {
  @IsFlag({ optional: true, description: 'also if it is no longer what was seen' })
  force?: boolean;
}

export class CancelPackageBody extends ReasonBody {
  @IsOneOf(['stay', 'regularFee'], {
    optional: true,
    description: 'what becomes of those already booked and not yet started: they stay as they are unless told',
  })
  appointments?: 'stay' | 'regularFee';

  @IsOneOf(['owing', 'writeOff'], { optional: true, description: 'what becomes of what is not paid yet: it stays owing unless told' })
  unpaid?: 'owing' | 'writeOff';
}

class PackageRefund {
  @IsId()
  refundId: string;

  @IsMoney()
  amount: MoneyBody;

  @IsOneOf(STATUSES_OF_REFUNDS, { description: 'pending: Stripe has not confirmed it yet, and the money figures are as before' })
  status: string;

  @IsOneOf(SOURCES_OF_REFUNDS, { description: 'stripe: it was made there, in its dashboard, or because a dispute was lost' })
  source: string;

  @IsMoney({ nullable: true, description: 'of that, tax; null: worked out when it succeeds' })
  tax: MoneyBody | null;

  @IsOneOf(OUTCOMES_OF_REFUNDS)
  outcome: string;

  @IsOneOf([...AT_THE_DESK, 'stripe'])
  method: string;

  @IsLocalDate({ nullable: true, description: 'null: it never succeeded' })
  refundedOn: string | null;

  @IsFlag({ description: 'the invoice said no, because its payment was voided meanwhile: nothing was given back' })
  refused: boolean;

  @IsText({ max: 200, nullable: true, description: 'why it failed, in the word of Stripe' })
  failure: string | null;
}

class PackageDispute extends DisputeOfCard {
  @IsLocalDate({ description: 'when it came to this status' })
  disputedOn: string;
}

export class Refunds {
  @IsNested(PackageRefund, { list: { max: 1_000 } })
  refunds: PackageRefund[];

  @IsNested(PackageDispute, { list: { max: 1_000 }, description: 'of payments by card, with the bank of whoever paid' })
  disputes: PackageDispute[];
}

export class RemainingBody extends AdjustmentBody {
  @IsInteger({ min: 0, max: MOST, description: 'what remains from now on' })
  remaining: number;

  @IsInteger({ min: 0, max: MOST, optional: true, description: 'what remained when the person looked: refused if it changed meanwhile' })
  seen?: number;
}

export class ExpiryBody extends AdjustmentBody {
  @IsLocalDate({ description: 'the last day on which sessions can be used; it may be past' })
  expiresOn: string;

  @IsLocalDate({
    optional: true,
    nullable: true,
    description: 'what the expiry was when the person looked, null: none; refused if it changed meanwhile',
  })
  seen?: string | null;
}

export class ServiceLeft {
  @IsId()
  serviceId: string;

  @IsText({ max: 200 })
  name: string;

  @IsLimit()
  limit: Limit;

  @IsMoney({ nullable: true, description: 'charged at each appointment; null: paid upfront' })
  fee: MoneyBody | null;

  @IsInteger({ min: 0, max: MOST, nullable: true, description: 'null: unlimited' })
  remaining: number | null;

  @IsInteger({ min: -MOST, max: MOST, description: 'all adjustments by staff together' })
  adjustments: number;

  @IsInteger({ min: 0, max: MOST, description: 'sessions that stand' })
  used: number;
}

export class PackageCore {
  @IsId()
  packageId: string;

  @IsId()
  offeringId: string;

  @IsId({ description: 'the owner' })
  clientId: string;

  @IsText({ max: 200 })
  name: string;

  @IsOneOf(['sold', 'cancelled'])
  status: 'sold' | 'cancelled';

  @IsOneOf(['paidUpfront', 'paidEachAppointment'])
  paymentMethod: 'paidUpfront' | 'paidEachAppointment';

  @IsId()
  invoiceId: string;

  @IsText({ max: 3 })
  currency: string;

  @IsLocalDate()
  soldOn: string;

  @IsVariant('kind', EXPIRY)
  expiryRule: ExpiryRule;

  @IsLocalDate({ nullable: true, description: 'the last day on which sessions can be used; null: none' })
  expiresOn: string | null;

  @IsNested(ServiceLeft, { list: { max: 100 } })
  services: ServiceLeft[];
}

export const OUTCOMES_OF_SESSIONS: Session['outcome'][] = ['standing', 'returned', 'forfeited'];

export class Session {
  @IsId()
  consumptionId: string;

  @IsId()
  appointmentId: string;

  @IsId()
  invoiceId: string;

  @IsId()
  serviceId: string;

  @IsId({ description: 'who uses it' })
  clientId: string;

  @IsInstant()
  start: string;

  @IsLocalDate()
  on: string;

  @IsOneOf(OUTCOMES_OF_SESSIONS)
  outcome: 'standing' | 'returned' | 'forfeited';

  @IsNested(Charge, { description: 'what the appointment costs' })
  charge: Charge;

  @IsText({ max: 50, nullable: true, example: 'Session 2 of 5' })
  place: string | null;
}

export class Sessions {
  @IsNested(Session, { list: { max: MOST } })
  sessions: Session[];
}

export const FLAGS = ['refundedAtStripe', 'disputed'] as const satisfies readonly Flag[];
const FLAGGED = 'what happened at Stripe that staff should look at: money was given back there, or a payment is or was lost in a dispute';

class NotMoved {
  @IsId()
  appointmentId: string;

  @IsId()
  consumptionId: string;

  @IsId({ description: 'of the appointment: void or refund what was paid on it, then remove the package' })
  invoiceId: string;
}

class Moved {
  @IsText({ max: 100, description: 'where it was sold' })
  source: string;

  @IsText({ max: 200, description: 'its own there' })
  reference: string;

  @IsMoney({ nullable: true, description: 'there, for the records; null: not known' })
  amountPaid: MoneyBody | null;
}

export class ListedPackage extends PackageCore {
  @IsText({ max: 2000, min: 0 })
  description: string;

  @IsOneOf(['staff', 'online', 'import'])
  channel: 'staff' | 'online' | 'import';

  @IsInstant()
  soldAt: string;

  @IsInteger({ min: 0, max: MOST, nullable: true, description: 'of all services together; null: one is unlimited' })
  remaining: number | null;

  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, description: 'of the package itself with its taxes, in minor units' })
  total: number;

  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, description: 'of what was paid for it, in minor units' })
  refunded: number;

  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, description: 'refunds that Stripe has not confirmed yet, in minor units' })
  pending: number;

  @IsOneOf(FLAGS, { list: { max: FLAGS.length, unique: true }, description: FLAGGED })
  flags: Flag[];

  @IsId({ list: { max: 1_000 }, description: 'of refunds that were made at Stripe itself, and did not fail since' })
  refundsMadeAtStripe: string[];

  @IsNested(PackageDispute, { list: { max: 1_000 }, description: 'of payments by card, with the bank of whoever paid' })
  disputes: PackageDispute[];

  @IsNested(NotMoved, {
    list: { max: MOST },
    description:
      'of those that were to move to the regular fee when it was cancelled, those that are paid and so kept their session; for moments, also others',
  })
  notMoved: NotMoved[];

  @IsId({ nullable: true, description: 'the appointment from which it was sold' })
  appointmentId: string | null;

  @IsText({ max: 200, nullable: true })
  externalReference: string | null;

  @IsNested(Moved, { nullable: true, description: 'of a package that was sold elsewhere and moved in' })
  imported: Moved | null;
}

export class PackageAnswer extends IntersectionType(PackageCore, Sessions, Refunds, Changed) {}

class ByCard {
  @IsNested(Purchase, { nullable: true, description: 'what is to be paid by card now; null: nothing' })
  purchase: Purchase | null;

  @IsText({
    max: 1_000,
    nullable: true,
    description: 'why Stripe has opened no page to pay at: the package is sold, and what is owing is taken otherwise, or asked for anew',
  })
  notOpened: string | null;
}
export class SaleAnswer extends IntersectionType(PackageAnswer, ByCard) {}
export class PackageRead extends IntersectionType(ListedPackage, Sharing, Versioned) {}
export class PackagePage extends PageOf(PackageRead) {
  @IsNested(AsOfRead, { optional: true, description: 'which past was asked for' })
  asOf?: AsOfRead;
}

export class AuditTag {
  @IsId()
  eventId: string;

  @IsId()
  packageId: string;

  @IsText({ max: 20 })
  revision: string;

  @IsText({ max: 20 })
  position: string;

  @IsInstant()
  at: string;

  @IsText({ max: 255, description: 'the `sub` of the token of the person' })
  actorId: string;

  @IsText({ max: 20 })
  actorRole: string;

  @IsText({ max: 40, example: 'remainingAdjusted' })
  what: string;

  @IsId({ nullable: true })
  serviceId: string | null;

  @IsId({ nullable: true })
  appointmentId: string | null;

  @IsText({ max: 20, nullable: true, description: 'how many remained, the expiry, or what was refunded in all, before' })
  from: string | null;

  @IsText({ max: 20, nullable: true, description: 'the same after it' })
  to: string | null;

  @IsText({ max: 500, nullable: true })
  reason: string | null;
}

export class AuditTagPage extends PageOf(AuditTag) {}

const SELECTED = ['sold', 'cancelled', 'active', 'expired', 'usedUp'] as const;

export class ClientPackagesQuery extends PageQuery {
  @IsId({ optional: true })
  offeringId?: string;

  @IsOneOf(SELECTED, { optional: true, description: 'sold: not cancelled, which is expired, usedUp or active, as of today' })
  status?: (typeof SELECTED)[number];

  @IsLocalDate({ optional: true, description: 'those whose last valid day is before this one' })
  expiringBefore?: string;

  @IsInteger({ min: 0, max: MOST, optional: true, description: 'those with at most so many sessions left' })
  remainingAtMost?: number;

  @IsText({ max: 200, optional: true, description: 'anywhere in the name of the package or of its owner, in any case' })
  text?: string;

  @IsOneOf(['soldOn', 'expiresOn', 'name', 'remaining'], {
    optional: true,
    description: 'soldOn unless told; rows without a value come last',
  })
  sort?: 'soldOn' | 'expiresOn' | 'name' | 'remaining';

  @IsFlag({ optional: true })
  descending?: boolean;
}

export class PackagesQuery extends ClientPackagesQuery {
  @IsOneOf(FLAGS, { optional: true, description: FLAGGED })
  flag?: Flag;

  @IsId({ optional: true, description: 'the owner' })
  clientId?: string;

  @IsAsOf()
  asOf?: string;
}

/**
 * J4: which packages a query asks for, in which order.
 * @param dateOf gives the local date of the business: asked for only where the status follows from it
 */
export const selected = async (query: PackagesQuery, dateOf: () => Promise<string>) =>
  selectedOn(query, OF_TODAY.has(query.status) ? await dateOf() : '');

const OF_TODAY: ReadonlySet<PackagesQuery['status']> = new Set(['expired', 'usedUp', 'active']);

const selectedOn = (
  { clientId, offeringId, status, expiringBefore, remainingAtMost, text, sort = 'soldOn', descending, flag }: PackagesQuery,
  today: string,
) => ({
  ...{
    by: sort,
    descending,
    where: { clientId, offeringId, status: status === undefined || status === 'cancelled' ? status : ('sold' as const) },
  },
  ...{ before: { expiresOn: expiringBefore }, atMost: { remaining: remainingAtMost } },
  also: (rows: Knex.QueryBuilder, rowsOf: (projection: typeof directory) => Knex.Raw) => {
    if (flag) rows.whereRaw('flags @> ?', [JSON.stringify([flag])]);
    if (status === 'expired') rows.whereRaw('expires_on < ?::date', [today]);
    if (status === 'active' || status === 'usedUp') rows.whereRaw('(expires_on IS NULL OR expires_on >= ?::date)', [today]);
    if (status === 'active') rows.whereRaw('remaining IS DISTINCT FROM 0');
    if (status === 'usedUp') rows.whereRaw('remaining = 0');
    if (text !== undefined) {
      const named = [text.toLowerCase(), rowsOf(directory), text.toLowerCase()];
      rows.whereRaw('(strpos(lower(name), ?) > 0 OR client_id IN (SELECT id FROM ? AND strpos(lower(directory.name), ?) > 0))', named);
    }
  },
});
