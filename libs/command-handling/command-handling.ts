import { createHash, hkdfSync } from 'node:crypto';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { domainEvents } from '../domain/events.js';
import { createCodec } from '../event-store/codec.js';
import type { EventStore } from '../event-store/event-store.js';
import { createHandle, stateCache } from '../event-store/handle.js';
import { createPersonalKeys, type PersonalKeys } from '../event-store/personal-keys.js';
import type { CardPayments, CardPaymentsOptions } from '../payments/card-payments.js';
import { NO_CARDS, type CardSettings } from '../payments/settings.js';
import { CameToNothing } from './came-to-nothing.js';
import { Claims } from './claims.js';
import { type Clock, systemClock } from './clock.js';
import { Facts } from './facts.js';
import { withFailpoints } from './failpoints.js';
import { FollowUps } from './follow-up.js';
import { Forgetting } from './forgetting.js';
import type { Parts } from './operation.js';

export interface Surroundings {
  store: EventStore;
  pool: Pool;
  operatorKey: string; // wraps the personal keys
  requestHashKey: string;
  policies: 'api' | 'projector' | 'both';
  log: Logger;
  clock?: Clock;
  cards?: CardSettings;
}

/** Whatever carries out commands: the API, the projector for what follows from events, the demo loader. */
export const openCommandHandling = async (surroundings: Surroundings): Promise<Parts & { close(): Promise<void> }> => {
  const { pool, log, requestHashKey, clock = systemClock, cards: { stripe, checkouts } = NO_CARDS } = surroundings;
  const store = withFailpoints(surroundings.store);
  const keys = personalKeysOf(pool, surroundings.operatorKey);
  const claims = new Claims(pool, log);
  await keys.migrate();
  await claims.migrate();
  const cameToNothing = new CameToNothing(pool);
  await cameToNothing.migrate();

  const codec = createCodec(domainEvents, keys);
  const states = stateCache();
  const forgetting = new Forgetting(keys, claims, () => states.clear());
  const facts = new Facts(store, codec, log, (clientId) => forgetting.heard(clientId));
  await facts.start();
  const handle = createHandle({ store, codec, logger: log, states });
  return {
    ...{ store, codec, handle, facts, claims, forgetting, clock, checkouts, cards: stripe && (await cardPayments(stripe)) },
    followUps: new FollowUps(handle, cameToNothing, clock, log, surroundings.policies !== 'api'),
    requestHashKey: { id: createHash('sha256').update(requestHashKey).digest('hex').slice(0, 16), secret: requestHashKey },
    policiesHere: surroundings.policies !== 'projector',
    close: () => {
      facts.stop();
      return claims.close();
    },
  };
};

/** Stripe's library is loaded where cards are taken. */
const cardPayments = async (stripe: CardPaymentsOptions): Promise<CardPayments> => {
  const { CardPayments } = await import('../payments/card-payments.js');
  return new CardPayments(stripe);
};

/** The keys of personal data, unwrapped with the operator's. */
export const personalKeysOf = (pool: Pool, operatorKey: string): PersonalKeys =>
  createPersonalKeys({ pool, operatorKey: derived(operatorKey, 'personal keys') });

const derived = (secret: string, purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `punchcard ${purpose}`, 32));
