import type { ClientDescription } from '../../domain/client/client.events.js';
import { changeClient, client, forgetClient, registerClient, shownClient } from '../../domain/client/client.js';
import { assertCurrency } from '../../domain/kernel/money.js';
import type { ProviderDescription } from '../../domain/provider/provider.events.js';
import { changeProvider, provider, registerProvider } from '../../domain/provider/provider.js';
import type { ServiceDescription } from '../../domain/service/service.events.js';
import { changeService, defineService, service } from '../../domain/service/service.js';
import type { TaxDescription } from '../../domain/tax/tax.events.js';
import { changeTax, defineTax, tax } from '../../domain/tax/tax.js';
import { ChangeOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { reference, type Operation } from '../operation.js';

// What a business has, and the people it knows: each is made once, then changed (A4, B1).

export class DefineTax extends ChangeOf<Omit<TaxDescription, 'taxId'>, TaxDescription> {}
export class ChangeTax extends ChangeOf<Pick<TaxDescription, 'taxId'> & Partial<TaxDescription>, TaxDescription> {}
export class DefineService extends ChangeOf<Omit<ServiceDescription, 'serviceId'>, ServiceDescription> {}
export class ChangeService extends ChangeOf<Pick<ServiceDescription, 'serviceId'> & Partial<ServiceDescription>, ServiceDescription> {}
export class RegisterProvider extends ChangeOf<Omit<ProviderDescription, 'providerId'>, ProviderDescription> {}
export class ChangeProvider extends ChangeOf<Pick<ProviderDescription, 'providerId'> & Partial<ProviderDescription>, ProviderDescription> {}
export class RegisterClient extends ChangeOf<Omit<ClientDescription, 'clientId'>, ClientDescription> {}
export class ChangeClient extends ChangeOf<Pick<ClientDescription, 'clientId'> & Partial<ClientDescription>, ClientDescription> {}
/** Deletes the client's key: whatever was ever stored about them reads as forgotten. */
export class ForgetClient extends ChangeOf<Pick<ClientDescription, 'clientId'>, Pick<ClientDescription, 'clientId'>> {}

export const catalogueHandlers = [
  handlerOf(DefineTax, (operation, input) => {
    const taxId = operation.id('tax');
    return operation.make(tax, taxId, defineTax({ taxId, ...input }));
  }),
  handlerOf(ChangeTax, (operation, { taxId, ...changes }) => operation.change(tax, taxId, changeTax(taxId, changes))),

  handlerOf(DefineService, async (operation, input) => {
    await assertServiceFits(operation, input);
    const serviceId = operation.id('service');
    return operation.make(service, serviceId, defineService({ serviceId, ...input }));
  }),
  handlerOf(ChangeService, async (operation, { serviceId, ...changes }) => {
    await assertServiceFits(operation, changes);
    return operation.change(service, serviceId, changeService(serviceId, changes));
  }),

  handlerOf(RegisterProvider, async (operation, input) => {
    await assertServicesExist(operation, input);
    const providerId = operation.id('provider');
    return operation.make(provider, providerId, registerProvider({ providerId, ...input }));
  }),
  handlerOf(ChangeProvider, async (operation, { providerId, ...changes }) => {
    await assertServicesExist(operation, changes);
    return operation.change(provider, providerId, changeProvider(providerId, changes));
  }),

  handlerOf(RegisterClient, (operation, input) => {
    const clientId = operation.id('client');
    return operation.make(client, clientId, registerClient({ clientId, ...input }), shownClient);
  }),
  handlerOf(ChangeClient, (operation, { clientId, ...changes }) =>
    operation.change(client, clientId, changeClient(clientId, changes), shownClient),
  ),
  handlerOf(ForgetClient, async (operation, { clientId }) => {
    const forgotten = await operation.change(client, clientId, forgetClient(clientId), () => ({ clientId }));
    await operation.forgetPerson(clientId);
    return forgotten;
  }),
];

const assertServiceFits = async (operation: Operation, { price, taxIds = [] }: Partial<ServiceDescription>): Promise<void> => {
  const { currency } = await operation.business();
  assertCurrency('/price', price, currency);
  await operation.taxes(taxIds, '/taxIds');
};

const assertServicesExist = async (operation: Operation, { serviceIds = [] }: Partial<ProviderDescription>): Promise<void> => {
  await operation.lookUp(...serviceIds.map((id, n) => reference(service, `/serviceIds/${n}`, id)));
};
