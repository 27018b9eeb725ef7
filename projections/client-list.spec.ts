import type { ClientEvent } from '../libs/domain/client/client.events.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { anna, ben } from '../libs/domain/testing/example.js';
import { annaHerself } from '../libs/domain/testing/example-catalogue.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { clientList, type ClientRow } from './client-list.projection.js';

it.each(deliveries)('J4: clients as they are known now, events delivered %s', (_, delivered) => {
  const benHimself = { clientId: ben, name: 'Ben', email: null, phone: '+1 555 0101', externalReference: 'b-1' };
  const changed = { ...annaHerself, name: 'Anna B.', email: null, phone: '+1 555 0100' };
  const rows = fold(
    clientList,
    new Map<string, ClientRow>(),
    delivered(
      recorded([
        { type: 'ClientRegistered', data: annaHerself },
        { type: 'ClientRegistered', data: benHimself },
        { type: 'ClientChanged', data: { ...annaHerself, name: 'Anna B.' } },
        { type: 'ClientChanged', data: changed },
      ]),
    ),
  );
  expect(rows.get(anna)).toEqual({ ...changed, revision: 3n });
  expect(rows.get(ben)).toEqual({ ...benHimself, revision: 1n });
});

it('K4: of somebody who is forgotten, the row is left', () => {
  const known: ClientEvent[] = [
    { type: 'ClientRegistered', data: annaHerself },
    { type: 'ClientForgotten', data: { clientId: anna } },
  ];
  const rows = fold(clientList, new Map<string, ClientRow>(), recorded(known));
  const nothing = { email: null, phone: null, externalReference: null };
  expect(rows.get(anna)).toEqual({ clientId: anna, name: '(forgotten)', ...nothing, revision: 1n });
});
