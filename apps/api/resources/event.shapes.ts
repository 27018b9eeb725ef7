import { domainEvents } from '../../../libs/domain/events.js';
import { Field, IsFlag, IsId, IsInstant, IsInteger, IsNested, IsText } from '../validation/fields.js';

const MOST = 200; // events of a page
const POSITION = /^\d{1,18}$/;

const IsPosition = (options: { optional?: boolean; description: string }): PropertyDecorator =>
  Field(
    {
      name: 'isPosition',
      code: 'NOT_A_POSITION',
      message: 'must be a position as an answer gave it',
      holds: (value) => typeof value === 'string' && POSITION.test(value),
      schema: { type: 'string', pattern: POSITION.source },
    },
    options,
  );

const known = new Set(domainEvents.map(({ type }) => type));

const IsEventTypes = (options: { optional?: boolean; description: string; example: string }): PropertyDecorator =>
  Field(
    {
      name: 'isEventTypes',
      code: 'NOT_EVENT_TYPES',
      message: 'must be types of events that there are, with commas between them',
      holds: (value) => typeof value === 'string' && value.split(',').every((type) => known.has(type)),
      schema: { type: 'string', pattern: '^[A-Za-z]+(,[A-Za-z]+)*$' },
    },
    options,
  );

export class EventsQuery {
  @IsPosition({ optional: true, description: 'only what comes after this position; all from the first event unless told' })
  after?: string;

  @IsEventTypes({
    optional: true,
    description: 'only events of these types, with commas between them',
    example: 'PackageSold,SessionConsumed',
  })
  types?: string;

  @IsInteger({ min: 1, max: MOST, optional: true, description: 'events on a page of JSON, at most; 50 unless told' })
  limit?: number;
}

class FollowedEvent {
  @IsText({ max: 20, description: 'its position in the event store: it grows from event to event, with gaps' })
  position: string;

  @IsId()
  eventId: string;

  @IsText({ max: 500, example: 'package-5b0f8a2c-7c0a-4a55-8b43-6d7f2b8f9a10' })
  stream: string;

  @IsText({ max: 20, description: 'its number in its stream, from 0' })
  revision: string;

  @IsText({ max: 100, example: 'SessionConsumed' })
  type: string;

  @IsInteger({ min: 1, max: 1_000, description: 'of the shape of its data; a type and a version have one shape for ever' })
  version: number;

  @IsInstant({ description: 'when it was recorded' })
  at: string;

  @IsText({ max: 100, description: 'the same in all events that follow from one call' })
  correlationId: string;

  @IsText({ max: 100, description: 'what it follows from at once: a command or an event' })
  causationId: string;

  @IsText({ max: 255, description: 'the `sub` of the token of the person, also where something followed by itself from what they did' })
  actorId: string;

  @IsText({ max: 20 })
  actorRole: string;

  @IsText({ max: 100, nullable: true, description: 'by which it followed by itself; null: it was asked for' })
  policy: string | null;

  @IsId({ list: { max: 100 }, description: 'the people of whom personal fields are left out of its data' })
  people: string[];

  @Field({
    name: 'isObject',
    code: 'NOT_AN_OBJECT',
    message: 'must be an object',
    holds: (value) => typeof value === 'object' && value !== null,
    schema: { type: 'object', additionalProperties: true, description: 'as it is stored, without its personal fields' },
  })
  data: object;
}

export class EventPage {
  @IsNested(FollowedEvent, { list: { max: MOST } })
  items: FollowedEvent[];

  @IsPosition({ description: 'the `after` of the next call, also when there is nothing more yet' })
  through: string;

  @IsFlag({ description: 'there may be more already' })
  more: boolean;
}
