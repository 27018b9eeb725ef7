import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Checkpoint, Progress } from './checkpoint.js';
import type { Feed } from './feed.js';

const ASK_AGAIN = 1_000; // ms after the store could not be asked

/** The store does not have the event up to which the read models were built. */
export class StoreMismatch extends Error {
  override name = 'StoreMismatch';
}

/**
 * A restored store or a changed address: the read models would hold events that never happened. Asks until the store answers.
 * @throws StoreMismatch
 */
export async function requireSameStore(
  feed: Pick<Feed, 'store' | 'has'>,
  checkpoint: Checkpoint,
  signal: AbortSignal,
  logger: Pick<Logger, 'warn'>,
): Promise<void> {
  const { last } = await checkpoint.read();
  while (last && !signal.aborted) {
    const has = await feed
      .has(last)
      .catch((error: unknown) => logger.warn({ err: error }, 'The event store could not be asked; it is asked again.'));
    if (has) break;
    if (has === false) throw mismatch(checkpoint, last, feed.store);
    await sleep(ASK_AGAIN, undefined, { signal }).catch(() => undefined);
  }
  await checkpoint.nameStore(feed.store);
}

const mismatch = ({ name, version }: Checkpoint, last: NonNullable<Progress['last']>, store: string) =>
  new StoreMismatch(
    `${name} version ${version} was built up to event ${last.id} (${last.stream}@${last.revision}, position ${last.position}), ` +
      `which the event store ${store} does not have. Was it restored from an older backup, or EVENTSTORE_URL changed? ` +
      'Connect to the store that has the event, or restore the Postgres backup that was made with it; or stop every process, drop the schemas read_models, ' +
      'event_feed, policies and commands, which are made anew from the events, and start again. Never drop personal_keys; audit can stay.',
  );
