import {
  changeOffering,
  defineOffering,
  deleteOffering,
  restoreOffering,
  type OfferingFacts,
} from '../../domain/offering/offering.decisions.js';
import type { Terms } from '../../domain/offering/offering.events.js';
import { offering, type DefinedOffering, type OfferingState } from '../../domain/offering/offering.state.js';
import { isOfferable, service } from '../../domain/service/service.js';
import { ChangeOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { reference, type Operation } from '../operation.js';

export type OfferingAnswer = Terms & { offeringId: string; locked: boolean; deleted: boolean };

export class DefineOffering extends ChangeOf<Terms, OfferingAnswer> {}
export class ChangeOffering extends ChangeOf<{ offeringId: string } & Partial<Terms>, OfferingAnswer> {}
export class DeleteOffering extends ChangeOf<{ offeringId: string }, OfferingAnswer> {}
export class RestoreOffering extends ChangeOf<{ offeringId: string }, OfferingAnswer> {}

export const offeringHandlers = [
  handlerOf(DefineOffering, async (operation, terms) => {
    const offeringId = operation.id('offering');
    return operation.make(offering, offeringId, defineOffering(offeringId, terms, await factsFor(operation, terms)), answerOf);
  }),
  handlerOf(ChangeOffering, async (operation, { offeringId, ...changes }) =>
    operation.change(offering, offeringId, changeOffering(offeringId, changes, await factsFor(operation, changes)), answerOf),
  ),
  handlerOf(DeleteOffering, (operation, { offeringId }) => operation.change(offering, offeringId, deleteOffering(offeringId), answerOf)),
  handlerOf(RestoreOffering, (operation, { offeringId }) => operation.change(offering, offeringId, restoreOffering(offeringId), answerOf)),
];

const factsFor = async (operation: Operation, { services = [], payment }: Partial<Terms>): Promise<OfferingFacts> => {
  const { currency } = await operation.business();
  const found = await operation.lookUp(...services.map(({ serviceId }, n) => reference(service, `/services/${n}/serviceId`, serviceId)));
  if (payment?.method === 'paidUpfront') await operation.taxes(payment.taxIds, '/payment/taxIds');
  return { currency, offerable: new Set(found.filter(isOfferable).map(({ serviceId }) => serviceId)) };
};

const answerOf = (state: OfferingState): OfferingAnswer => {
  const { offeringId, terms, locked, deleted } = state as DefinedOffering;
  return { offeringId, ...terms, locked, deleted };
};
