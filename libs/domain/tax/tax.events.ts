import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id, percentage } from '../kernel/shapes.js';

const description = z.object({ taxId: id, name: z.string(), rate: percentage });

export const TaxDefined = defineEvent('TaxDefined', description);
export const TaxChanged = defineEvent('TaxChanged', description);
export type TaxDescription = EventOf<typeof TaxDefined>['data'];
