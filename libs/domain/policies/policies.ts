import { booking, invoicing, removing } from './booking.js';
import { ending } from './ending.js';
import { listing } from './listing.js';
import type { Policy } from './policy.js';
import { purchasing } from './purchasing.js';
import { confirming, refunding } from './refunding.js';
import { repeating } from './repeating.js';
import { selling } from './selling.js';

/** Every policy that runs, after an append in the API or from the projector's to-do table. */
export const policies: readonly Policy[] = [
  booking,
  invoicing,
  removing,
  selling,
  purchasing,
  ending,
  refunding,
  confirming,
  listing,
  repeating,
];
