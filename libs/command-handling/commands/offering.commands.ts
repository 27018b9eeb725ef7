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
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { reference, type Operation } from '../operation.js';

export type OfferingAnswer = Terms & { offeringId: string; locked: boolean; deleted: boolean };

export class DefineOffering extends CommandOf<Terms, OfferingAnswer> {}
export class ChangeOffering extends CommandOf<{ offeringId: string } & Partial<Terms>, OfferingAnswer> {}
export class DeleteOffering extends CommandOf<{ offeringId: string }, OfferingAnswer> {}
export class RestoreOffering extends CommandOf<{ offeringId: string }, OfferingAnswer> {}

export const offeringHandlers = [
  handlerOf(DefineOffering, async (operation, terms) => {
    const offeringId = operation.id('offering');
    return answerOf(await operation.make(offering, offeringId, defineOffering(offeringId, terms, await factsFor(operation, terms))));
  }),
  handlerOf(ChangeOffering, async (operation, { offeringId, ...changes }) =>
    answerOf(await operation.change(offering, offeringId, changeOffering(offeringId, changes, await factsFor(operation, changes)))),
  ),
  handlerOf(DeleteOffering, async (operation, { offeringId }) =>
    answerOf(await operation.change(offering, offeringId, deleteOffering(offeringId))),
  ),
  handlerOf(RestoreOffering, async (operation, { offeringId }) =>
    answerOf(await operation.change(offering, offeringId, restoreOffering(offeringId))),
  ),
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
