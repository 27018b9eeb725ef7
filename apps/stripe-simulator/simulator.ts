import type Stripe from 'stripe';
import type { Logger } from 'pino';
import { goodBehaviour, type Behaviour } from './behaviour.js';
import { newId } from './state/ids.js';
import type { State } from './state/state.js';

/** The account whose keys are used; the businesses' accounts are connected to it. */
export const PLATFORM = 'acct_platform';
export const API_VERSION = '2026-10-28.endive' satisfies Stripe.LatestApiVersion;

type EventType = Stripe.Event['type'];
type Shown<Type extends EventType> = Extract<Stripe.Event, { type: Type }>['data']['object'];

/** What every part of the simulator works on. */
export interface Simulator {
  state: State;
  behaviour: Behaviour;
  log: Logger;
  url: string; // of its pages
  now(): number; // s
  /** Notes that it happened to a thing of this account, as the thing is then, and that the webhook is to be told. */
  emit<Type extends EventType>(account: string, type: Type, object: Shown<Type>, cause?: Cause): void;
}

/** The call that an event comes of; without one it comes of a page. */
export interface Cause {
  requestId: string;
  idempotencyKey: string | null;
}

export const simulatorOf = ({ state, log }: Pick<Simulator, 'state' | 'log'>): Simulator => {
  const behaviour = goodBehaviour();
  return {
    ...{ state, behaviour, log, url: '', now: nowInSeconds },
    emit(account, type, object, cause) {
      const event = {
        ...{ id: newId('evt_1'), object: 'event', type, api_version: API_VERSION, created: nowInSeconds(), livemode: false },
        ...(account !== PLATFORM && { account }),
        data: { object: structuredClone(object) },
        pending_webhooks: 1,
        request: { id: cause?.requestId ?? null, idempotency_key: cause?.idempotencyKey ?? null },
      } as unknown as Stripe.Event; // of all events the one of this type, which TypeScript does not see
      state.events.put(account, event);
      const { mode, ms } = behaviour.webhooks;
      const wait = mode === 'late' ? ms : mode === 'shuffled' ? Math.random() * ms : 0;
      for (const id of mode === 'twice' ? [event.id, `${event.id}/again`] : [event.id])
        state.deliveries.put(account, { id, state: mode === 'held' ? 'held' : 'waiting', attempts: 0, due: Date.now() + wait });
    },
  };
};

const nowInSeconds = (): number => Math.floor(Date.now() / 1000);
