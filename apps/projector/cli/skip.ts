import type { Command } from 'commander';
import { skipPoison } from '../../../libs/projection-engine/skip.js';
import { projectionsNamed, withParts } from './parts.js';

export const addSkip = (program: Command): void => {
  program
    .command('skip')
    .description('passes over the event at which a read model has stopped: this version of it alone, also when it is rebuilt')
    .argument('<name>', 'of the read model')
    .requiredOption('--event <id>', 'at which it has stopped; `status` shows it')
    .requiredOption('--reason <text>', 'why its rows are right without it; recorded, and shown in the status')
    .action(async (name: string, { event, reason }: { event: string; reason: string }) => {
      const [projection] = await projectionsNamed([name]);
      const { type, stream, revision } = await withParts(({ pool }) => skipPoison(pool, projection!, event, reason));
      process.stdout.write(
        `${name}, version ${projection!.version}, passes over ${type} ${stream}@${revision}. The projector goes on within a second.\n`,
      );
    });
};
