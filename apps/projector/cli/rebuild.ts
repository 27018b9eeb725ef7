import type { Command } from 'commander';
import { pino } from 'pino';
import { allProjections } from '../../../libs/projection-engine/all-projections.js';
import type { Projection } from '../../../libs/projection-engine/define-projection.js';
import { cancelRebuild, rebuild, type Rebuilt } from '../../../libs/projection-engine/rebuild.js';
import { failAt } from '../failpoint.js';
import { feedOf, projectionsNamed, withParts } from './parts.js';
import { rebuildBar } from './rebuild-bar.js';

interface Wanted {
  all?: boolean;
  cancel?: boolean;
}

const INTERRUPTED = 130; // as a shell says of what Ctrl-C has ended

const say = (message: string): void => void process.stdout.write(`${message}\n`);

export const addRebuild = (program: Command): void => {
  program
    .command('rebuild')
    .description('builds read models again beside the live ones, from the first event, and switches to them')
    .argument('[names...]', 'of the read models; one read of the events is for all of them')
    .option('--all', 'all that there are')
    .option('--cancel', 'calls their rebuild off, and drops what it has built')
    .action(async (names: string[], { all = false, cancel = false }: Wanted) => {
      if (all === names.length > 0) throw new Error('Name the read models to rebuild, or --all.');
      const projections = all ? await allProjections() : await projectionsNamed(names);
      await (cancel ? callOff(projections) : build(projections));
    });
};

const callOff = (projections: readonly Projection[]): Promise<void> =>
  withParts(async ({ pool }) => {
    for (const projection of projections)
      say(`${projection.name}: ${(await cancelRebuild(pool, projection)) ? 'the rebuild is called off.' : 'no rebuild is under way.'}`);
  });

async function build(projections: readonly Projection[]): Promise<void> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const bar = rebuildBar(process.stdout);
  const logger = pino({ base: null, timestamp: false, messageKey: 'message' }, { write: (line) => bar.say(wordsOf(line)) });
  const rebuilt = await withParts((parts) => {
    const options = { databaseUrl: parts.databaseUrl, feed: feedOf(parts), projections, logger, progress: bar.update, at: failAt };
    return rebuild(options, stopping.signal).finally(() => bar.stop());
  });
  if (stopping.signal.aborted && !rebuilt.length) {
    say('Stopped. The same command goes on from here; with --cancel it is called off. The live read models are as they were.');
    process.exitCode = INTERRUPTED;
  }
  for (const one of rebuilt) say(outcomeOf(one));
  if (rebuilt.some(({ poison }) => poison)) process.exitCode = 2;
}

const outcomeOf = ({ name, version, build, poison }: Rebuilt): string =>
  poison
    ? `${name}: stopped at ${poison.type} ${poison.stream}@${poison.revision}, event ${poison.eventId}: ${poison.error}. ` +
      'Its live table is as it was. Mend the code, or `skip` the event, and rebuild again: it goes on from there.'
    : `${name}: version ${version}, build ${build} is live.`;

const wordsOf = (line: string): string => {
  const { message, err } = JSON.parse(line) as { message: string; err?: { message: string } };
  return err ? `${message} ${err.message}` : message;
};
