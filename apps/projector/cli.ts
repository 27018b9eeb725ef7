import { program } from 'commander';
import { addRebuild } from './cli/rebuild.js';
import { addSkip } from './cli/skip.js';
import { addStatus } from './cli/status.js';
import { addVerify } from './cli/verify.js';

program
  .name('projector')
  .description('Looks after the read models. Needs DATABASE_URL; to tell lags EVENTSTORE_URL; to rebuild or verify OPERATOR_KEY too.');
addStatus(program);
addRebuild(program);
addSkip(program);
addVerify(program);

program.parseAsync().then(
  () => process.exit(), // the store's client would keep us for the reads that it has not seen the end of
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
