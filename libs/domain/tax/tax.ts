import { catalogueEntry } from '../kernel/catalogue-entry.js';
import { TaxChanged, TaxDefined } from './tax.events.js';

/** A4: a name and an exact decimal percentage. */
export const { aggregate: tax, make: defineTax, change: changeTax } = catalogueEntry('tax', TaxDefined, TaxChanged, ['taxId']);
