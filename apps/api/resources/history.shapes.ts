import { IntersectionType } from '@nestjs/swagger';
import {
  Field,
  IsId,
  IsInstant,
  IsLocalDate,
  IsMoney,
  IsNested,
  IsOneOf,
  IsSignedMoney,
  IsText,
  IsInteger,
  MoneyBody,
  SignedMoneyBody,
} from '../validation/fields.js';
import { Versioned } from './answered.js';
import { Link } from './link.shapes.js';
import { PackageCore, Refunds, ServiceLeft, Sessions } from './package.shapes.js';

class Left {
  @IsOneOf(['sold', 'cancelled'])
  status: 'sold' | 'cancelled';

  @IsLocalDate({ nullable: true })
  expiresOn: string | null;

  @IsNested(ServiceLeft, { list: { max: 100 } })
  services: ServiceLeft[];

  @IsMoney({ description: 'of what was paid for it' })
  refunded: MoneyBody;

  @IsMoney({ description: 'refunds that Stripe has not confirmed yet' })
  pending: MoneyBody;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** Which event, and who did it when. */
export class EventRead {
  @IsId()
  eventId: string;

  @IsText({ max: 50, example: 'SessionConsumed' })
  type: string;

  @IsText({ max: 20, description: 'its number in this history, from 0' })
  revision: string;

  @IsText({ max: 20, description: 'its position in the event store' })
  position: string;

  @IsInstant()
  at: string;

  @IsText({ max: 255, description: 'the `sub` of the token of the person, also where something followed by itself from what they did' })
  actorId: string;

  @IsText({ max: 20 })
  actorRole: string;

  @IsText({ max: 500, nullable: true })
  reason: string | null;
}

class HistoryEntry extends EventRead {
  @Field({
    name: 'isObject',
    code: 'NOT_AN_OBJECT',
    message: 'must be an object',
    holds: isObject,
    schema: { type: 'object', additionalProperties: true },
  })
  data: object;
}

class LeftAfter {
  @IsNested(Left, { description: 'what was left after it' })
  after: Left;
}

class Owing {
  @IsSignedMoney({ description: 'of its lines with their taxes' })
  total: SignedMoneyBody;

  @IsSignedMoney()
  adjustments: SignedMoneyBody;

  @IsSignedMoney()
  paid: SignedMoneyBody;

  @IsSignedMoney()
  refunded: SignedMoneyBody;

  @IsSignedMoney({ description: 'refunds that Stripe has not confirmed yet: in no other figure' })
  pending: SignedMoneyBody;

  @IsSignedMoney({ description: 'what is owing: total + adjustments − paid + refunded; below zero it is credit' })
  balance: SignedMoneyBody;
}

class OwingAfter {
  @IsNested(Owing, { description: 'what was owing after it' })
  after: Owing;
}

class LinkedAfter {
  @IsNested(Link, { nullable: true, description: 'the link as the client of the address sees it; null: unlinked' })
  after: Link | null;
}

class PackageEntry extends IntersectionType(HistoryEntry, LeftAfter) {}
class InvoiceEntry extends IntersectionType(HistoryEntry, OwingAfter) {}
class LinkEntry extends IntersectionType(HistoryEntry, LinkedAfter) {}

/** K1 */
export class PackageHistory {
  @IsId()
  packageId: string;

  @IsNested(PackageEntry, { list: { max: 1_000_000 } })
  items: PackageEntry[];
}

/** K1 */
export class LinkHistory {
  @IsNested(LinkEntry, { list: { max: 1_000_000 } })
  items: LinkEntry[];
}

/** K1 */
export class InvoiceHistory {
  @IsId()
  invoiceId: string;

  @IsNested(InvoiceEntry, { list: { max: 1_000_000 } })
  items: InvoiceEntry[];
}

/** K2: give one of the two. */
export class AsOfQuery {
  @IsInstant({ optional: true, description: 'as it was at this moment' })
  at?: string;

  @IsInteger({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    optional: true,
    description: 'as it was after this event; as it is, if there are not so many yet',
  })
  revision?: number;
}

class At {
  @IsInstant({ description: 'when it had last changed then' })
  at: string;
}

export class PackageAsOf extends IntersectionType(PackageCore, Sessions, Refunds, At, Versioned) {}
