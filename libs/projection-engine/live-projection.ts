import type { Pool } from 'pg';
import { checkpointOf, type Checkpoint } from './checkpoint.js';
import type { Consumer } from './consumer.js';
import type { Projection } from './define-projection.js';
import { consumerOf, keptByEach } from './projection-consumer.js';

/**
 * A projection as the leader follows it: whichever build is live; while none is, the first. A rebuild that switches takes away the
 * checkpoint of the build before, so that the next write fails as if another led, and reading the checkpoint again finds the new build.
 */
export function followLive(projection: Projection, pool: Pool, consumers: number): { consumer: Consumer; checkpoint: Checkpoint } {
  const { name, version } = projection;
  let build = 0;
  const keeping = keptByEach(consumers);
  let consumer = consumerOf(projection, pool, { keeping });
  let checkpoint = checkpointOf(pool, 'read_models', name, version);

  const look = async () => {
    const { rows } = await pool.query<{ build: number }>(
      'SELECT build FROM read_models.live_builds WHERE projection = $1 AND version = $2',
      [...[name, version]],
    );
    const live = rows[0]?.build ?? 0;
    if (live === build) return;
    build = live;
    consumer = consumerOf(projection, pool, { build, keeping });
    checkpoint = checkpointOf(pool, 'read_models', name, version, build);
  };

  return {
    consumer: { ...consumer, fold: (events) => consumer.fold(events), reset: () => consumer.reset() },
    checkpoint: {
      ...{ name, version },
      read: async () => {
        await look();
        return checkpoint.read();
      },
      move: (...to) => checkpoint.move(...to),
      stop: (...at) => checkpoint.stop(...at),
      nameStore: (store) => checkpoint.nameStore(store),
    },
  };
}
