import type { BusinessDescription, Settings } from '../../domain/business/business.events.js';
import { business, changeBusiness, createBusiness } from '../../domain/business/business.js';
import { ChangeOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { assertOwnAccount } from './stripe-account.commands.js';

/** A1. Given by `npm run business:create` and the demo, not over HTTP; the id is the caller's business. */
export class CreateBusiness extends ChangeOf<Omit<BusinessDescription, 'businessId'>, BusinessDescription> {}
export class ChangeSettings extends ChangeOf<
  Partial<Pick<BusinessDescription, 'name' | 'timeZone'>> & { settings?: Partial<Settings> },
  BusinessDescription
> {}

export const businessHandlers = [
  handlerOf(CreateBusiness, (operation, input) => {
    const businessId = operation.caller.business;
    return operation.make(business, businessId, createBusiness({ businessId, ...input }));
  }),

  handlerOf(ChangeSettings, async (operation, { settings, ...input }) => {
    const businessId = operation.caller.business;
    if (settings?.stripeAccount) await assertOwnAccount(operation, settings.stripeAccount);
    const changes = (before: BusinessDescription) => ({ ...input, settings: { ...before.settings, ...settings } });
    return operation.change(business, businessId, changeBusiness(businessId, changes));
  }),
];
