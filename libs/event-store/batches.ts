import { setImmediate as nextTurn } from 'node:timers/promises';

/** A call of gRPC whose answers come one by one: so much of it as is used here. */
interface Source<Item> {
  on(event: 'data', listener: (item: Item) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  cancel(): void;
}

/**
 * What has arrived each time that the consumer comes for more: one wake-up for many events, where `for await` over the call itself has one for
 * each. While the consumer is busy as many are kept as it takes at once, and then the server is held back. Whatever the server says of checkpoints
 * is not asked: it can run ahead of what is kept.
 * @throws what the call failed with, once all that is kept has been given
 */
export async function* buffered<Item, Event>(
  open: () => Promise<Source<Item>>,
  convert: (item: Item) => Event | undefined,
  { signal, size }: { signal?: AbortSignal; size: number },
): AsyncGenerator<Event[]> {
  const source = await open();
  let kept: Event[] = [];
  let over = false;
  let failure: Error | undefined;
  let wake = (): void => undefined;
  const end = (error?: Error): void => {
    over = true;
    failure ??= error;
    wake();
  };
  const abort = (): void => end();
  source.on('data', (item) => {
    const event = over ? undefined : convert(item);
    if (event === undefined) return;
    if (kept.push(event) >= size) source.pause();
    wake();
  });
  source.on('end', () => end());
  source.on('close', () => end());
  source.on('error', end);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    while (!signal?.aborted) {
      if (kept.length > 0) {
        const batch = kept;
        kept = [];
        source.resume();
        yield batch;
      } else if (failure) throw failure;
      else if (over) return;
      else {
        await new Promise<void>((resolve) => (wake = resolve));
        await nextTurn(); // what came in the same packet is kept by then
      }
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    over = true;
    await nextTurn(); // a call that is cancelled while it is being made fails otherwise: grpc/grpc-node#1464, #1652
    source.cancel();
    source.resume(); // it may have ended before that, and only says so when the rest is taken
  }
}
