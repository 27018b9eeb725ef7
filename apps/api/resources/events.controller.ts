import type { Readable } from 'node:stream';
import { Controller, Get, Headers, Inject, Query, Res } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { EVENT_FEED } from '../../../libs/projection-engine/event-feed.js';
import type { EventReaders } from '../../../libs/projection-engine/event-readers.js';
import { EVENT_READERS, EventStreams } from '../events/event-streams.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext, TokenEnds } from '../http/call.js';
import { lastEventIdOf } from '../http/headers.js';
import { StaysOpen } from '../http/stays-open.js';
import { EventPage, EventsQuery } from './event.shapes.js';
import { Reading } from './reading.js';

const EVENT_STREAM = 'text/event-stream';
const PAGE = 50;

/** L6: everything that has happened in a business, for those who follow it. */
@ApiTags('Events')
@Controller('events')
export class EventsController {
  constructor(
    private readonly streams: EventStreams,
    private readonly reading: Reading,
    @Inject(EVENT_READERS) private readonly readers: EventReaders,
  ) {}

  @Get()
  @Allow('history:read')
  @StaysOpen()
  @ApiExtraModels(EventPage)
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    schema: { type: 'string', pattern: '^\\d{1,18}$' },
    description: 'goes before `after`',
  })
  @ApiOkResponse({
    description:
      'A page of JSON; or, to those who accept it, a stream of server-sent events that stays open: the data of each is one event.',
    content: {
      'application/json': { schema: { $ref: getSchemaPath(EventPage) } },
      [EVENT_STREAM]: { schema: { type: 'string' } },
    },
  })
  async follow(
    @Call() call: CallContext,
    @TokenEnds() until: number,
    @Query() { after, types, limit = PAGE }: EventsQuery,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventPage | Readable> {
    const asked = { after: lastEventIdOf(lastEventId) ?? (after === undefined ? undefined : BigInt(after)), types: types?.split(',') };
    await this.reading.fresh({ name: EVENT_FEED }, call);
    if (accept?.includes(EVENT_STREAM)) {
      void reply.headers({ 'content-type': `${EVENT_STREAM}; charset=utf-8`, 'x-accel-buffering': 'no' });
      return this.streams.follow({ ...asked, business: call.business, until }, reply.raw);
    }
    const { events, through = 0n, more } = await this.readers.page(call.business, { ...asked, limit });
    return { items: events, through: String(through), more };
  }
}
