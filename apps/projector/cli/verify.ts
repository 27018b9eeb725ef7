import type { Command } from 'commander';
import { pino } from 'pino';
import { allProjections } from '../../../libs/projection-engine/all-projections.js';
import { type Difference, withoutTexts } from '../../../libs/projection-engine/compare.js';
import type { Projection } from '../../../libs/projection-engine/define-projection.js';
import type { Verified } from '../../../libs/projection-engine/verified.js';
import { verify } from '../../../libs/projection-engine/verify.js';
import { feedOf, projectionsNamed, withParts } from './parts.js';

interface Wanted {
  all?: boolean;
  texts?: boolean;
}

export const addVerify = (program: Command): void => {
  program
    .command('verify')
    .description(
      'folds the events afresh beside the live read models, and names every row that differs; ends with 0: none, 2: some, 1: it could not',
    )
    .argument('[names...]', 'of the read models; one read of the events is for all of them')
    .option('--all', 'all that there are')
    .option('--texts', 'also shows texts, which may be about people: for your eyes, not for a log')
    .action(async (names: string[], { all = false, texts = false }: Wanted) => {
      if (all === names.length > 0) throw new Error('Name the read models to verify, or --all.');
      const results = await verified(all ? await allProjections() : await projectionsNamed(names), texts);
      for (const result of results) say(outcomeOf(result));
      process.exitCode = exitCodeOf(results);
    });
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function verified(projections: readonly Projection[], texts: boolean): Promise<Verified[]> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const logger = pino({ base: null }, { write: (line) => void process.stderr.write(line) });
  const onDifference = (found: Difference, projection: Projection) => say(lineOf(texts ? found : withoutTexts(projection, found)));
  return withParts((parts) =>
    verify({ databaseUrl: parts.databaseUrl, feed: feedOf(parts), projections, logger, onDifference }, stopping.signal),
  ).then((results) => {
    if (stopping.signal.aborted) throw new Error('Stopped before all was compared.');
    return results;
  });
}

const IS = { missing: 'is missing', tooMany: 'is there and should not be', different: 'differs' };

/** One line for one row. */
const lineOf = ({ projection, of, business, key, is, columns }: Difference): string => {
  const which = Object.entries(key)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  const detail = columns.map(({ name, expected, found }) => `${name} is ${found ?? 'null'} and should be ${expected ?? 'null'}`);
  return `${projection}: the ${of === 'rows' ? 'row' : 'past version'} ${which} of business ${business} ${[IS[is], ...detail].join('; ')}`;
};

const outcomeOf = ({ name, version, rows, differences, problem }: Verified): string => {
  if (problem !== null) return `${name}, version ${version}: could not be verified. ${problem}`;
  if (differences === 0) return `${name}, version ${version}: ${rows} rows, each as the events say.`;
  return `${name}, version ${version}: ${differences} differences in ${rows} rows. \`projector rebuild ${name}\` builds it anew; keep what this says, to find out who changed it.`;
};

const exitCodeOf = (results: readonly Verified[]): number => {
  if (results.some(({ differences }) => differences > 0)) return 2;
  return results.some(({ problem }) => problem !== null) ? 1 : 0;
};
