import { catalogueEntry } from '../kernel/catalogue-entry.js';
import { FORGOTTEN, type Aggregate, type Decide } from '../kernel/event.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import { ClientChanged, type ClientDescription, type ClientEvent, ClientForgotten, ClientRegistered } from './client.events.js';

const entry = catalogueEntry('client', ClientRegistered, ClientChanged, ['clientId']);

/** Someone who buys packages and books appointments; or who did, and is forgotten. */
export type Client = ClientDescription & { isForgotten?: true };

export const client: Aggregate<Client | null, ClientEvent> = {
  ...entry.aggregate,
  events: [...entry.aggregate.events, ClientForgotten],
  evolve: (state, event) => (event.type === 'ClientForgotten' ? state && { ...nameless(state), isForgotten: true } : event.data),
};

export const registerClient: (description: ClientDescription) => Decide<Client | null, ClientEvent> = entry.make;

export const changeClient =
  (clientId: string, changes: Partial<ClientDescription>): Decide<Client | null, ClientEvent> =>
  (state) => {
    assertRemembered(state);
    return entry.change(clientId, changes)(state);
  };

/** Deletes nothing of the ledger: refunds, payments, returns and cancellations of what the client has go on. */
export const forgetClient =
  (clientId: string): Decide<Client | null, ClientEvent> =>
  (state) => {
    if (state === null) throw new NotFound('client', clientId);
    return state.isForgotten ? [] : [{ type: 'ClientForgotten', data: { clientId } }];
  };

/** @throws Refusal CLIENT_FORGOTTEN: nothing new is sold to, booked for or said of somebody who is forgotten */
export function assertRemembered(state: Client | null): void {
  if (!state?.isForgotten) return;
  const message = 'This client was forgotten. Register the person anew, as another client, if they come back.';
  throw new Refusal('CLIENT_FORGOTTEN', message, { clientId: state.clientId });
}

/** @throws Refusal CLIENT_FORGOTTEN: Stripe would be told of them anew */
export function assertMayPayOnline(state: Client | null): void {
  if (!state?.isForgotten) return;
  const message = 'This client was forgotten: no page to pay at is opened for them. Receive the payment by another method.';
  throw new Refusal('CLIENT_FORGOTTEN', message, { clientId: state.clientId });
}

/** What is left to be said of somebody who is forgotten. */
export const nameless = <Row extends Omit<ClientDescription, 'clientId'>>(row: Row): Row => ({
  ...row,
  ...{ name: FORGOTTEN, email: null, phone: null, externalReference: null },
});

/** As it is shown: also of a time before the client was forgotten. */
export const shownClient = (state: Client | null): ClientDescription => {
  const { isForgotten = false, ...description } = state as Client;
  return isForgotten || description.name === FORGOTTEN ? nameless(description) : description;
};
