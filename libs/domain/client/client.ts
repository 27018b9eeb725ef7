import { catalogueEntry } from '../kernel/catalogue-entry.js';
import { ClientChanged, ClientRegistered } from './client.events.js';

/** Someone who buys packages and books appointments. */
export const {
  aggregate: client,
  make: registerClient,
  change: changeClient,
} = catalogueEntry('client', ClientRegistered, ClientChanged, ['clientId']);
