import { program } from 'commander';
import { addStatus } from './cli/status.js';

program.name('projector').description('Looks after the read models. Needs DATABASE_URL and, to tell lags, EVENTSTORE_URL.');
addStatus(program);

program.parseAsync().then(
  () => process.exit(), // the store's client would keep us for the reads that it has not seen the end of
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
