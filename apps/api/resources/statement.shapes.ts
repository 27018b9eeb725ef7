import { IsFlag, IsId, IsInstant, IsInteger, IsLocalDate, IsMoney, IsOneOf, IsText, MoneyBody } from '../validation/fields.js';
import { IsCursor, IsPageSize, PageOf } from './paging.js';

export const USAGES = ['sold', 'consumed', 'moved', 'returned', 'forfeited', 'forfeitUndone', 'adjusted'] as const;

/** J3: something that changed how many sessions are left, or could have. */
class StatementEntry {
  @IsId()
  entryId: string;

  @IsInstant({ description: 'when it was recorded' })
  at: string;

  @IsId()
  packageId: string;

  @IsText({ max: 200 })
  packageName: string;

  @IsId({ description: 'who used it: the owner, or a client who shares it' })
  clientId: string;

  @IsText({ max: 200, min: 0 })
  clientName: string;

  @IsId()
  serviceId: string;

  @IsText({ max: 200 })
  serviceName: string;

  @IsOneOf(USAGES)
  what: (typeof USAGES)[number];

  @IsInteger({ min: -1_000_000, max: 1_000_000, description: 'on what remains: the effects of a package and service add up to it' })
  effect: number;

  @IsInteger({ min: 0, max: 1_000_000, nullable: true, description: 'after it; null: unlimited' })
  remaining: number | null;

  @IsId({ nullable: true })
  appointmentId: string | null;

  @IsInstant({ nullable: true, description: 'of the appointment, as it was then' })
  start: string | null;

  @IsMoney({ nullable: true, description: 'what the appointment was charged, with its taxes' })
  fee: MoneyBody | null;

  @IsText({ max: 20 })
  position: string;
}

export class StatementPage extends PageOf(StatementEntry) {}

/** Which entries of it. */
export class StatementFilters {
  @IsId({ optional: true, description: 'of this package only' })
  packageId?: string;

  @IsLocalDate({ optional: true, description: 'recorded on this day of the business or later' })
  onFrom?: string;

  @IsLocalDate({ optional: true, description: 'recorded on this day of the business or earlier' })
  onUntil?: string;
}

export class StatementQuery extends StatementFilters {
  @IsPageSize()
  limit?: number;

  @IsCursor()
  cursor?: string;

  @IsFlag({ optional: true, description: 'the newest first' })
  descending?: boolean;
}
