import type { Command } from 'commander';
import { EVENT_FEED, EVENT_FEED_VERSION } from '../../../libs/projection-engine/event-feed.js';
import { FORGETTING } from '../../../libs/projection-engine/forgotten.js';
import { skipPoison, type Stopped } from '../../../libs/projection-engine/skip.js';
import { TODO, TODO_VERSION } from '../../../libs/projection-engine/todo.js';
import { NUMBERING } from '../numbering.js';
import { projectionsNamed, withParts } from './parts.js';

/** Beside the read models, what can pass over an event, and what is not as it should be then. */
const ALSO: Record<string, Omit<Stopped, 'name'> & { means: string }> = {
  [TODO]: {
    ...{ schema: 'policies', version: TODO_VERSION },
    means:
      'What follows from that event is not on the list of what is left to do: the commands of all policies for it are not carried out, ' +
      'for instance a package that was paid by card is not given. This is the last resort: better deploy a version that reads the event, first. ' +
      'Look at the history of what the event is about, and do by hand what is missing (docs/operations-over-streams.md).',
  },
  [EVENT_FEED]: {
    ...{ schema: 'event_feed', version: EVENT_FEED_VERSION },
    means: 'Whoever follows the events of its business never hears of that event, and must read it from the event store.',
  },
};

/** What must not, because nothing could make good what would be missing. Nothing is lost while it stands: it all follows once the event is read. */
const NEVER: Record<string, string> = {
  [NUMBERING]:
    'Invoices get their numbers in the order in which they were issued, and the numbers after it would go on without that invoice: it would have none for ever (D3). ' +
    'Deploy a version that reads the event; until then invoices are issued and paid as ever, and have no number yet.',
  [FORGETTING.name]:
    'Somebody who was promised to be forgotten would not be. Deploy a version that reads the event; until then those who were forgotten after it wait too, ' +
    'while their keys are deleted all the same.',
};

export const addSkip = (program: Command): void => {
  program
    .command('skip')
    .description('passes over the event at which a read model has stopped: this version of it alone, also when it is rebuilt')
    .argument('<name>', `of the read model; or ${Object.keys(ALSO).join(', ')}`)
    .requiredOption('--event <id>', 'at which it has stopped; `status` shows it')
    .requiredOption('--reason <text>', 'why all is right without it; recorded, and shown in the status')
    .action(async (name: string, { event, reason }: { event: string; reason: string }) => {
      if (NEVER[name]) throw new Error(`${name} cannot pass over an event. ${NEVER[name]}`);
      const also = ALSO[name];
      const stopped = also ? { name, ...also } : (await projectionsNamed([name]))[0]!;
      const { type, stream, revision } = await withParts(({ pool }) => skipPoison(pool, stopped, event, reason));
      process.stdout.write(
        `${name}, version ${stopped.version}, passes over ${type} ${stream}@${revision}. The projector goes on within a second.\n${also ? `${also.means}\n` : ''}`,
      );
    });
};
