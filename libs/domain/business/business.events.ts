import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { currency, id, sessionOutcome } from '../kernel/shapes.js';

export const settings = z.object({
  clientsSeeInvoices: z.boolean(),
  clientsMayBuyOnline: z.boolean(),
  onNoShow: sessionOutcome,
  onLateCancellation: sessionOutcome,
  lateCancellationWindowMinutes: z.int().nonnegative(),
  stripeAccount: z.string().nullable(), // connected account, `acct_…`
});
export type Settings = z.infer<typeof settings>;

const description = z.object({
  businessId: id,
  name: z.string(),
  timeZone: z.string(), // IANA
  currency, // fixed at creation
  settings,
});

export const BusinessCreated = defineEvent('BusinessCreated', description);
export const BusinessSettingsChanged = defineEvent('BusinessSettingsChanged', description);
export type BusinessDescription = EventOf<typeof BusinessCreated>['data'];

export const defaultSettings: Settings = {
  clientsSeeInvoices: true,
  clientsMayBuyOnline: false,
  onNoShow: 'returned',
  onLateCancellation: 'returned',
  lateCancellationWindowMinutes: 24 * 60,
  stripeAccount: null,
};
