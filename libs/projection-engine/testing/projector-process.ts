import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import type { Projection } from '../define-projection.js';
import type { Fed } from '../feed.js';
import { Projector } from '../projector.js';
import { counts, exampleHistory, packages } from './example.js';
import { MemoryFeed } from './memory-feed.js';

// A projector as a process of its own, to be stopped, killed and woken: DATABASE_URL, the number of events and of packages.

const [databaseUrl, events, sold] = process.argv.slice(2);

/** Slowly, so that it is in the middle of it for a while. */
class SlowFeed extends MemoryFeed {
  override async *read(options: { after: bigint | undefined; signal: AbortSignal }): AsyncGenerator<readonly Fed[]> {
    for await (const batch of super.read(options)) {
      for (let i = 0; i < batch.length && !options.signal.aborted; i += 5) {
        yield batch.slice(i, i + 5);
        await sleep(20);
      }
    }
  }
}

const projector = new Projector({
  databaseUrl: databaseUrl!,
  feed: new SlowFeed(exampleHistory(Number(events), Number(sold))),
  projections: [packages, counts] as Projection[],
  logger: pino({ level: process.env.LOG_LEVEL ?? 'silent' }),
  silence: '10 seconds', // of others
  maxBatch: 10,
});
process.once('disconnect', () => process.exit());
setInterval(() => process.send?.({ leading: projector.leading }), 20);
await projector.run(new AbortController().signal);
