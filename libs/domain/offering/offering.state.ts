import type { Aggregate } from '../kernel/event.js';
import { offeringEvents, type OfferingEvent, type Terms } from './offering.events.js';

export type OfferingState = { status: 'undefined' } | DefinedOffering;

export interface DefinedOffering {
  status: 'defined';
  offeringId: string;
  terms: Terms;
  locked: boolean; // C5: from the first sale on, for ever
  deleted: boolean;
}

export const offering: Aggregate<OfferingState, OfferingEvent> = {
  category: 'offering',
  events: offeringEvents,
  initial: { status: 'undefined' },
  evolve: (state, { type, data }) => {
    if (type === 'OfferingDefined') {
      const { offeringId, ...terms } = data;
      return { status: 'defined', offeringId, terms, locked: false, deleted: false };
    }
    if (state.status === 'undefined') return state;
    switch (type) {
      case 'OfferingChanged': {
        const { offeringId: _, ...terms } = data;
        return { ...state, terms };
      }
      case 'OfferingLocked':
        return { ...state, locked: true };
      case 'OfferingDeleted':
        return { ...state, deleted: true };
      case 'OfferingRestored':
        return { ...state, deleted: false };
      default:
        return type satisfies never;
    }
  },
};
