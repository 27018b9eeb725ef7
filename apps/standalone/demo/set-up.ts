import { CreateBusiness } from '../../../libs/command-handling/commands/business.commands.js';
import { DefineService, DefineTax, RegisterClient, RegisterProvider } from '../../../libs/command-handling/commands/catalogue.commands.js';
import { LinkClients } from '../../../libs/command-handling/commands/client-link.commands.js';
import { ArrangeOfferings, CreateCategory } from '../../../libs/command-handling/commands/offering-list.commands.js';
import { DefineOffering } from '../../../libs/command-handling/commands/offering.commands.js';
import type { CommandOf } from '../../../libs/command-handling/command.js';
import { defaultSettings } from '../../../libs/domain/business/business.events.js';
import type { Arrangement } from '../../../libs/domain/offering-list/offering-list.events.js';
import { CATEGORIES, CLIENTS, CLINIC, LINKS, PROVIDERS, SERVICES, TAXES, UNGROUPED, type PlannedOffering } from './clinic.js';
import { callerWith, categoryId, clientId, offeringId, serviceId, taxId, type Step } from './step.js';

/** The clinic before its first sale. With a Stripe account its clients may buy online what is paid upfront. */
export const setUp = (at: number, kinds: PlannedOffering[], stripeAccount?: string): Step[] => {
  const settings = { ...defaultSettings, ...(stripeAccount !== undefined && { stripeAccount, clientsMayBuyOnline: true }) };
  const money = (amount: number) => ({ amount, currency: CLINIC.currency });
  const step = (what: string, command: CommandOf<unknown, unknown>, second: number): Step => ({ at: at + second * 1000, what, command });
  return [
    step('the clinic', new CreateBusiness(callerWith('business'), { ...CLINIC, settings }), 0),
    ...TAXES.map((tax, n) => step('taxes', new DefineTax(callerWith(`tax/${n}`), tax), 1)),
    ...SERVICES.map(({ taxes, price, ...service }, n) =>
      step(
        'services',
        new DefineService(callerWith(`service/${n}`), {
          ...{ ...service, price: money(price), taxIds: taxes.map(taxId), description: '', active: true },
          ...{ publiclyDisplayed: true, externalReference: null },
        }),
        2,
      ),
    ),
    ...PROVIDERS.map(({ name, services }, n) =>
      step(
        'providers',
        new RegisterProvider(callerWith(`provider/${n}`), {
          name,
          active: true,
          serviceIds: services.map(serviceId),
          externalReference: null,
        }),
        3,
      ),
    ),
    ...kinds.map(({ name, services, expiryRule, fee, fees }, n) =>
      step(
        'offerings',
        new DefineOffering(callerWith(`offering/${n}`), {
          ...{ name, expiryRule, description: '', status: 'active', soldOnline: fee !== undefined, externalReference: null },
          services: services.map(([service, limit]) => ({ serviceId: serviceId(service), limit })),
          payment: fees
            ? {
                method: 'paidEachAppointment',
                fees: services.map(([service], i) => ({ serviceId: serviceId(service), fee: money(fees[i]!) })),
              }
            : { method: 'paidUpfront', fee: money(fee!), taxIds: TAXES.map((_, tax) => taxId(tax)) },
        }),
        4,
      ),
    ),
    ...CLIENTS.map((name, n) =>
      step(
        'clients',
        new RegisterClient(callerWith(`client/${n}`), {
          name,
          email: `client${n}@example.org`,
          phone: null,
          externalReference: `demo-${n}`,
        }),
        5,
      ),
    ),
    ...CATEGORIES.map(({ name }, n) => step('categories', new CreateCategory(callerWith(`category/${n}`), { name }), 5)),
    step('the list', new ArrangeOfferings(callerWith('list'), arrangement()), 6),
    ...LINKS.map(({ client, other, ...link }, n) =>
      step(
        'families',
        new LinkClients(callerWith(`link/${n}`), { clientId: clientId(client), otherClientId: clientId(other), ...link }),
        6,
      ),
    ),
  ];
};

const arrangement = (): Arrangement => ({
  ungrouped: UNGROUPED.map(offeringId),
  categories: CATEGORIES.map(({ offerings: of }, n) => ({ categoryId: categoryId(n), offeringIds: of.map(offeringId) })),
});
