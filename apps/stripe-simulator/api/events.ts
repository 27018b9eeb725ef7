import { z } from 'zod';
import { missing } from './failure.js';
import { pageOf } from './list.js';
import { expand, isWithin, paging, read, time } from './params.js';
import { route, type Route } from './route.js';

const listParams = z.strictObject({ ...paging, type: z.string().optional(), types: z.array(z.string()).max(20).optional(), created: time });

export const eventRoutes: Route[] = [
  route('GET', '/v1/events', ({ state }, { account, form }) => {
    const { type, types, created, ...asked } = read(listParams, form);
    const events = state.events
      .of(account)
      .filter((event) => (type === undefined || event.type === type) && (types === undefined || types.includes(event.type)))
      .filter((event) => isWithin(event.created, created));
    return pageOf('/v1/events', events, asked);
  }),
  route('GET', '/v1/events/:id', ({ state }, { account, id, form }) => {
    read(z.strictObject({ expand }), form);
    const event = state.events.get(account, id);
    if (!event) throw missing('event', id);
    return event;
  }),
];
