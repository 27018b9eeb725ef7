import { setImmediate as nextTurn } from 'node:timers/promises';

/** A read or a subscription of the client: so much of a stream as is used here. */
type Source = {
  read(): unknown;
  on(event: 'readable' | 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
} & ({ cancel(): Promise<void> } | { unsubscribe(): Promise<void> });

/**
 * What a stream of the client has buffered, each time that the consumer comes for more: one wake-up for many events,
 * where `for await` over the stream itself has one for each. While the consumer is busy the buffer fills up to its high
 * water mark, and then the server is held back. Whatever the client says of checkpoints is not asked: it can run ahead
 * of what is buffered.
 */
export async function* buffered<Item, Event>(
  source: Source,
  convert: (item: Item) => Event | undefined,
  { signal, size }: { signal?: AbortSignal; size: number },
): AsyncGenerator<Event[]> {
  let over = false;
  let failure: Error | undefined;
  let wake = (): void => undefined;
  const end = (error?: Error): void => {
    over = true;
    failure ??= error;
    wake();
  };
  const abort = (): void => end();
  source.on('readable', () => wake());
  source.on('end', () => end());
  source.on('close', () => end());
  source.on('error', end);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    while (!signal?.aborted) {
      const batch = take(source, convert, size);
      if (batch.length > 0) yield batch;
      else if (failure) throw failure;
      else if (over) return;
      else {
        await new Promise<void>((resolve) => (wake = resolve));
        await nextTurn(); // what came in the same packet is buffered by then
      }
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    await stop(source);
  }
}

function take<Item, Event>(source: Source, convert: (item: Item) => Event | undefined, size: number): Event[] {
  const batch: Event[] = [];
  while (batch.length < size) {
    const item = source.read() as Item | null;
    if (item === null) break;
    const event = convert(item);
    if (event) batch.push(event);
  }
  return batch;
}

/** Ends the call at the server too. It fails if there never was a call, and then there is nothing to end. */
const stop = (source: Source): Promise<void> => ('cancel' in source ? source.cancel() : source.unsubscribe()).catch(() => undefined);
