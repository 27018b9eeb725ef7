import { given } from '../testing/given.js';
import { anna } from '../testing/example.js';
import { annaHerself } from '../testing/example-catalogue.js';
import { changeClient, client, forgetClient, registerClient, shownClient } from './client.js';
import type { ClientEvent } from './client.events.js';

const aClient = given(client);
const registered: ClientEvent = { type: 'ClientRegistered', data: annaHerself };
const forgotten: ClientEvent = { type: 'ClientForgotten', data: { clientId: anna } };

describe('forgetting a client', () => {
  it('K4: says that nothing of them can be read any more', () => aClient([registered]).when(forgetClient(anna)).emits([forgotten]));
  it('K4: happens once', () => aClient([registered, forgotten]).when(forgetClient(anna)).emits([]));
  it('A3: takes a client', () => aClient([]).when(forgetClient(anna)).refuses('NOT_FOUND'));
  it('K4: leaves nothing that could be changed', () =>
    aClient([registered, forgotten])
      .when(changeClient(anna, { name: 'Anna B.' }))
      .refuses('CLIENT_FORGOTTEN'));
  it('K4: is not undone by registering the same client', () =>
    aClient([registered, forgotten]).when(registerClient(annaHerself)).refuses('ALREADY_EXISTS'));
  it('K4: shows nothing of them, also of a time before, when the key is gone', () => {
    const nobody = { clientId: anna, name: '(forgotten)', email: null, phone: null, externalReference: null };
    expect(shownClient([registered, forgotten].reduce(client.evolve, client.initial))).toEqual(nobody);
    expect(shownClient({ ...annaHerself, name: '(forgotten)', email: '(forgotten)' })).toEqual(nobody);
  });
});
