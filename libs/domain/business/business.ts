import { catalogueEntry } from '../kernel/catalogue-entry.js';
import { BusinessCreated, BusinessSettingsChanged } from './business.events.js';

/** A1: a business and its settings. */
export const {
  aggregate: business,
  make: createBusiness,
  change: changeBusiness,
} = catalogueEntry('business', BusinessCreated, BusinessSettingsChanged, ['businessId', 'currency']);
