import { IsFlag, IsId, IsInstant, IsInteger, IsLocalDate, IsOneOf, IsText } from '../validation/fields.js';
import { STATUSES as APPOINTMENT_STATUSES } from './appointment.shapes.js';
import { IsCursor, IsPageSize, PageOf } from './paging.js';
import { BOM } from './report.shapes.js';
import { USAGES } from './statement.shapes.js';
import { TotalsOf } from './totals.shapes.js';

const SAFE = Number.MAX_SAFE_INTEGER;
const MOST = 1_000_000;
const SORTS = [
  ...['recordedAt', 'date', 'client', 'owner', 'offering', 'service', 'provider', 'appointmentStatus'],
  ...['what', 'effect', 'remaining', 'fee'],
] as const;
export const USAGE_GROUPS = ['day', 'month', 'client', 'owner', 'offering', 'service', 'provider', 'appointmentStatus', 'what'] as const;
const WHAT = 'what happened; without it, all that is use: neither sales nor moves of appointments, which change nothing';

/** J3: which uses of packages. Days are those of the business, both ends included. */
export class UsageFilters {
  @IsLocalDate({ optional: true, description: 'with an appointment on this day or later, or adjusted then' })
  dateFrom?: string;

  @IsLocalDate({ optional: true, description: 'with an appointment on this day or earlier, or adjusted then' })
  dateUntil?: string;

  @IsId({ optional: true, description: 'who used it: the owner, or a client who shares it' })
  clientId?: string;

  @IsId({ optional: true, description: 'whose package it is' })
  ownerId?: string;

  @IsId({ optional: true })
  offeringId?: string;

  @IsId({ optional: true })
  packageId?: string;

  @IsId({ optional: true })
  serviceId?: string;

  @IsId({ optional: true })
  providerId?: string;

  @IsOneOf(APPOINTMENT_STATUSES, { optional: true, description: 'as it is now' })
  appointmentStatus?: string;

  @IsOneOf(USAGES, { optional: true, description: WHAT })
  what?: (typeof USAGES)[number];
}

class UsageOrder extends UsageFilters {
  @IsOneOf(SORTS, { optional: true, description: 'recordedAt unless told; rows without a value come last' })
  sort?: (typeof SORTS)[number];

  @IsFlag({ optional: true })
  descending?: boolean;
}

export class UsageQuery extends UsageOrder {
  @IsPageSize()
  limit?: number;

  @IsCursor()
  cursor?: string;
}

export class UsageFileQuery extends UsageOrder {
  @IsFlag(BOM)
  bom?: boolean;
}

export class UsageTotalsQuery extends UsageFilters {
  @IsOneOf(USAGE_GROUPS)
  by: (typeof USAGE_GROUPS)[number];

  @IsFlag({ optional: true })
  descending?: boolean;

  @IsPageSize()
  limit?: number;

  @IsCursor()
  cursor?: string;
}

/** J3: something that changed how many sessions are left, or could have. */
class Use {
  @IsId()
  entryId: string;

  @IsLocalDate({ description: 'of the appointment as it stands now; of an adjustment, when it was made' })
  date: string;

  @IsInstant({ nullable: true, description: 'of the appointment, as it stands now' })
  appointmentStart: string | null;

  @IsInstant({ nullable: true, description: 'when the session was taken' })
  bookedAt: string | null;

  @IsInstant({ description: 'when this happened' })
  recordedAt: string;

  @IsId({ description: 'who used it: the owner, or a client who shares it' })
  clientId: string;

  @IsText({ max: 200, min: 0 })
  clientName: string;

  @IsId({ description: 'whose package it is' })
  ownerId: string;

  @IsText({ max: 200, min: 0 })
  ownerName: string;

  @IsId()
  packageId: string;

  @IsId()
  offeringId: string;

  @IsText({ max: 200, description: 'as it was sold' })
  offeringName: string;

  @IsId()
  serviceId: string;

  @IsText({ max: 200 })
  serviceName: string;

  @IsId({ nullable: true })
  providerId: string | null;

  @IsText({ max: 200, nullable: true })
  providerName: string | null;

  @IsId({ nullable: true })
  appointmentId: string | null;

  @IsOneOf(APPOINTMENT_STATUSES, { nullable: true, description: 'as it is now' })
  appointmentStatus: string | null;

  @IsOneOf(USAGES)
  what: (typeof USAGES)[number];

  @IsInteger({ min: -MOST, max: MOST, description: 'on what remains: the effects of a package and service add up to it' })
  effect: number;

  @IsInteger({ min: 0, max: MOST, nullable: true, description: 'after it; null: unlimited' })
  remaining: number | null;

  @IsInteger({
    min: -SAFE,
    max: SAFE,
    description: 'what the appointment is charged, in minor units; below zero: no more, its session came back',
  })
  fee: number;

  @IsText({ max: 3 })
  currency: string;
}

export class UsagePage extends PageOf(Use) {}

class UsageTotal {
  @IsInteger({ min: 0, max: SAFE, description: 'rows' })
  entries: number;

  @IsInteger({ min: 0, max: SAFE, description: 'sessions that were taken' })
  taken: number;

  @IsInteger({ min: 0, max: SAFE, description: 'sessions that came back' })
  returned: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'sessions that were forfeited, less those of which that was undone' })
  forfeited: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'by staff, up and down' })
  adjusted: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'all together, on what remains' })
  effect: number;

  @IsInteger({ min: -SAFE, max: SAFE, description: 'minor units' })
  fee: number;
}

class UsageSubTotal extends UsageTotal {
  @IsText({ max: 64, description: 'the day, the month, what happened, the status, or an id; none: of no appointment' })
  key: string;

  @IsText({ max: 200, min: 0, description: 'what it is called; else the key' })
  name: string;
}

export class UsageTotals extends TotalsOf(USAGE_GROUPS, UsageSubTotal, UsageTotal) {}
