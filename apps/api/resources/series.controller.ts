import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { BookSeries, MOST_IN_A_SERIES, PreviewSeries, type SeriesInput } from '../../../libs/command-handling/commands/series.commands.js';
import { asInstant } from '../../../libs/domain/kernel/calendar.js';
import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { IsId, IsInstant, IsInteger, IsLocalDate, IsNested, IsOneOf, IsText } from '../validation/fields.js';
import { Answered } from './answered.js';
import { SessionUse } from './appointment.shapes.js';
import { Charge } from './money.shapes.js';

const A_DAY = 24 * 60; // minutes

class RuleBody {
  @IsInstant({ description: 'of the first; the others are at the same time on the wall of the business' })
  start: string;

  @IsOneOf(['day', 'week', 'month'])
  every: 'day' | 'week' | 'month';

  @IsInteger({ min: 1, max: 52, optional: true, description: 'every so many days, weeks or months; 1 unless told' })
  interval?: number;

  @IsInteger({ min: 1, max: MOST_IN_A_SERIES, optional: true, description: 'so many appointments; either this or `until`' })
  count?: number;

  @IsLocalDate({ optional: true, description: 'the last day on which one can be; either this or `count`' })
  until?: string;
}

class SeriesBody {
  @IsId()
  clientId: string;

  @IsId()
  serviceId: string;

  @IsId()
  providerId: string;

  @IsId({ optional: true, description: 'take its sessions, as far as they go; without it all are at the regular fee' })
  packageId?: string;

  @IsInteger({ min: 1, max: A_DAY, optional: true, description: 'as long as the service takes unless told' })
  durationMinutes?: number;

  @IsNested(RuleBody, { optional: true, description: 'either this or `starts`' })
  rule?: RuleBody;

  @IsInstant({ list: { min: 1, max: MOST_IN_A_SERIES, unique: true }, optional: true, description: 'either these or `rule`' })
  starts?: string[];

  @IsOneOf(['regularFee', 'refuse'], { optional: true, description: 'when the package has no session for a date; regularFee unless told' })
  onShortage?: 'regularFee' | 'refuse';

  @IsText({ max: 200, optional: true, nullable: true, description: 'of each appointment' })
  externalReference?: string | null;
}

class PlannedAppointment {
  @IsInstant()
  start: string;

  @IsInstant()
  end: string;

  @IsLocalDate({ description: 'local date of the start' })
  on: string;

  @IsId({ nullable: true, description: 'null: at the regular fee' })
  packageId: string | null;

  @IsText({ max: 50, nullable: true, example: 'NO_SESSIONS_LEFT', description: 'why the package has no session for it' })
  shortage: string | null;

  @IsNested(Charge)
  charge: Charge;

  @IsNested(SessionUse, { nullable: true })
  session: SessionUse | null;
}

class Made {
  @IsId()
  appointmentId: string;

  @IsId()
  invoiceId: string;

  @IsId({ nullable: true })
  consumptionId: string | null;
}

class BookedAppointment extends IntersectionType(PlannedAppointment, Made) {}

class SeriesPreview extends Answered {
  @IsNested(PlannedAppointment, { list: { min: 1, max: MOST_IN_A_SERIES } })
  items: PlannedAppointment[];
}

class SeriesAnswer extends Answered {
  @IsId()
  seriesId: string;

  @IsNested(BookedAppointment, { list: { min: 1, max: MOST_IN_A_SERIES } })
  items: BookedAppointment[];
}

/** E5: repeating series of appointments. */
@ApiTags('Appointments')
@Controller('series')
export class SeriesController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @Allow('appointments:write')
  @ApiCreatedResponse({ type: SeriesAnswer })
  book(@Call() call: CallContext, @Body() body: SeriesBody): Promise<SeriesAnswer> {
    return this.commands.execute(new BookSeries(call, inputOf(body)));
  }

  @Post('preview')
  @Allow('appointments:write')
  @HttpCode(200)
  @ApiOkResponse({ type: SeriesPreview })
  preview(@Call() call: CallContext, @Body() body: SeriesBody): Promise<SeriesPreview> {
    return this.commands.execute(new PreviewSeries(call, inputOf(body)));
  }
}

const inputOf = ({ rule, starts, ...body }: SeriesBody): SeriesInput => {
  assertOneOf('/starts', rule, starts);
  if (rule) assertOneOf('/rule/until', rule.count, rule.until);
  const moments = starts?.map((start) => asInstant(start)) ?? null;
  assertDifferent('/starts', moments ?? []);
  return {
    ...{ packageId: null, durationMinutes: null, onShortage: 'regularFee', externalReference: null, ...body },
    rule: rule ? { interval: 1, count: null, until: null, ...rule, start: asInstant(rule.start) } : null,
    starts: moments,
  };
};

/** The same moment can be written in several ways. */
const assertDifferent = (field: string, moments: readonly string[]): void => {
  const errors = moments.flatMap((moment, n) =>
    moments.indexOf(moment) < n ? [{ field: `${field}/${n}`, code: 'TWICE', message: 'This moment is in the list already.' }] : [],
  );
  if (errors.length > 0) throw new InvalidInput(errors);
};

const assertOneOf = (field: string, one: unknown, other: unknown): void => {
  if ((one === undefined) === (other === undefined))
    throw new InvalidInput([{ field, code: 'ONE_OF', message: 'Say one of the two ways in which a series can be told, and not both.' }]);
};
