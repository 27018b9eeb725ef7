import { listOffering, relistOffering, unlistOffering } from '../offering-list/offering-list.decisions.js';
import { offeringList } from '../offering-list/offering-list.state.js';
import type { OfferingEvent } from '../offering/offering.events.js';
import { change, definePolicy } from './policy.js';

/** C8: the list knows every offering of its business, so that an arrangement can be held against them. */
export const listing = definePolicy<OfferingEvent>('listing', {
  OfferingDefined: ({ data: { offeringId }, revision, metadata: { business } }) => [
    change(offeringList, business, { decide: listOffering(offeringId, revision) }),
  ],
  OfferingDeleted: ({ data: { offeringId }, revision, metadata: { business } }) => [
    change(offeringList, business, { decide: unlistOffering(offeringId, revision) }),
  ],
  OfferingRestored: ({ data: { offeringId }, revision, metadata: { business } }) => [
    change(offeringList, business, { decide: relistOffering(offeringId, revision) }),
  ],
});
