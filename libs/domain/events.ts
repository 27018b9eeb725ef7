import { appointmentEvents } from './appointment/appointment.events.js';
import { business } from './business/business.js';
import { catalogueFile } from './catalogue-file/catalogue-file.js';
import { client } from './client/client.js';
import { clientLinkEvents } from './client-link/client-link.events.js';
import { importEvents } from './import/import.events.js';
import { invoiceNumbersEvents } from './invoice-numbers/invoice-numbers.events.js';
import { invoiceEvents } from './invoice/invoice.events.js';
import type { EventDefinition } from './kernel/event.js';
import { offeringListEvents } from './offering-list/offering-list.events.js';
import { offeringEvents } from './offering/offering.events.js';
import { packageEvents } from './package/package.events.js';
import { provider } from './provider/provider.js';
import { purchaseEvents } from './purchase/purchase.events.js';
import { sealEvents } from './seal/seal.events.js';
import { seriesEvents } from './series/series.events.js';
import { service } from './service/service.js';
import { tax } from './tax/tax.js';

/** Every event that is stored, for the codec. */
export const domainEvents: readonly EventDefinition[] = [
  ...business.events,
  ...tax.events,
  ...service.events,
  ...provider.events,
  ...client.events,
  ...clientLinkEvents,
  ...offeringEvents,
  ...offeringListEvents,
  ...packageEvents,
  ...appointmentEvents,
  ...seriesEvents,
  ...invoiceEvents,
  ...purchaseEvents,
  ...importEvents,
  ...invoiceNumbersEvents,
  ...catalogueFile.events,
  ...sealEvents,
];
