import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Command } from 'commander';
import pg from 'pg';
import { ExportFile } from '../../libs/audit/export-file.js';
import { BadLine } from '../../libs/audit/export-lines.js';
import type { Fault, Verdict } from '../../libs/audit/fault.js';
import { pemOf, sealKeyOf } from '../../libs/audit/seal.js';
import { SealFolder } from '../../libs/audit/seal-folder.js';
import type { Stray } from '../../libs/audit/seal-stream.js';
import { migrateSealing, sealAll } from '../../libs/audit/sealing.js';
import { StoredHistory } from '../../libs/audit/stored-history.js';
import { verify, type VerifyOptions } from '../../libs/audit/verify.js';
import { systemClock } from '../../libs/command-handling/clock.js';
import { sealEvents, type Seal } from '../../libs/domain/seal/seal.events.js';
import { createCodec } from '../../libs/event-store/codec.js';
import { connectEventStore } from '../../libs/event-store/event-store.js';
import { OperatorError } from './operator-error.js';
import { project } from './options.js';
import { surroundings } from './surroundings.js';

// `npm run audit:verify`, `audit:seal`, `audit:public-key` (docs/auditing.md). The first needs nothing but a file, if it is given one.

const say = (message: string): void => void process.stdout.write(`${message}\n`);

interface Wanted {
  file?: string;
  business?: string;
  publicKey?: string[];
  seal?: string[];
  json?: boolean;
  data: string;
}

// Exit codes; 1 is for what could not be verified.
const BROKEN = 2; // something does not hold
const UNSEALED = 3; // all hashes hold, and of some business there is no seal that would show what is missing
const MOST_SAID = 20;
const EVERY = 2_000; // ms, between two lines of progress

async function verifyHistory({ file, business, publicKey, seal = [], json, data }: Wanted): Promise<void> {
  const kept = (await Promise.all(seal.map(sealsIn))).flat();
  const options = { publicKeys: publicKey, kept, progress: json ? undefined : progressTo(process.stderr) };
  const verdicts = file === undefined ? await verifyStore(data, business, options) : await verifyFile(file, options);
  if (json) say(JSON.stringify(verdicts, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2));
  else for (const verdict of verdicts) tell(verdict);
  if (verdicts.some(({ faults }) => faults.length > 0)) process.exitCode = BROKEN;
  else if (verdicts.some(isUnsealed)) process.exitCode = UNSEALED;
}

async function verifyFile(path: string, options: VerifyOptions): Promise<Verdict[]> {
  const file = await ExportFile.open(path).catch((error: Error) => {
    throw new OperatorError(error instanceof BadLine ? error.message : `${path} can't be read: ${error.message}`);
  });
  const verdicts = await verify(file, options);
  const { fault } = file;
  return verdicts.map((verdict, n) => (n === 0 && fault ? { ...verdict, faults: [...verdict.faults, fault] } : verdict));
}

async function verifyStore(data: string, business: string | undefined, options: VerifyOptions): Promise<Verdict[]> {
  const env = await surroundings(data, ['EVENTSTORE_URL']);
  const store = connectEventStore({ url: setting(env, 'EVENTSTORE_URL') });
  const history = new StoredHistory(store, { business, through: (await store.lastPosition()) ?? -1n });
  const verdicts = await verify(history, options);
  if (history.foreign > 0) process.stderr.write(`${history.foreign} events in the store are of no business and were left out.\n`);
  return verdicts;
}

/** A seal as `SEAL_FOLDER` has it, or a page of them as the API gives it. */
async function sealsIn(path: string): Promise<Seal[]> {
  try {
    const read = JSON.parse(await readFile(path, 'utf8')) as Seal | { items: Seal[] };
    return 'items' in read ? read.items : [read];
  } catch (error) {
    throw new OperatorError(`${path} holds no seal: ${(error as Error).message}`);
  }
}

const isUnsealed = ({ events, seals }: Verdict): boolean => events > 0 && seals === 0;

function tell(verdict: Verdict): void {
  const { business, events, streams, seals, sealed, faults } = verdict;
  const covers = seals === 0 ? 'no seal' : `${seals} seals over ${sealed} of them`;
  const unbroken = isUnsealed(verdict)
    ? 'the hashes hold, and nothing is sealed: what was taken away or made anew as a whole would not show'
    : 'all holds';
  say(`${business}: ${events} events of ${streams} streams, ${covers}: ${faults.length === 0 ? unbroken : 'does not hold'}.`);
  for (const fault of faults.slice(0, MOST_SAID)) say(`  ${lineOf(fault)}`);
  if (faults.length > MOST_SAID) say(`  … and ${faults.length - MOST_SAID} more`);
}

function lineOf({ why, stream, revision, eventId, seal, says }: Fault): string {
  const where = stream === undefined ? '' : ` ${stream}@${revision}`;
  return `${why}${where}${eventId === undefined ? '' : ` (event ${eventId})`}${seal === undefined ? '' : ` [seal ${seal}]`}: ${says}`;
}

function progressTo(stream: NodeJS.WriteStream): VerifyOptions['progress'] {
  let said = performance.now();
  return (events, pass, passes) => {
    if (performance.now() - said < EVERY) return;
    said = performance.now();
    stream.write(`${events} events${passes > 1 ? `, pass ${pass} of ${passes}` : ''}\n`);
  };
}

async function sealNow({ data }: { data: string }): Promise<void> {
  const env = await surroundings(data, ['DATABASE_URL', 'EVENTSTORE_URL', 'SEAL_KEY']);
  const pool = new pg.Pool({ connectionString: setting(env, 'DATABASE_URL'), max: 1 });
  const store = connectEventStore({ url: setting(env, 'EVENTSTORE_URL') });
  const codec = createCodec(sealEvents, { forWriting: async () => new Map(), forReading: async () => new Map() }); // seals are about nobody
  try {
    await migrateSealing(pool);
    const folder = env.SEAL_FOLDER ? new SealFolder(env.SEAL_FOLDER, { error: (about, message) => complain(message, about) }) : undefined;
    const onStray = (stray: Stray) => complain('An event among the seals is none: somebody else can write to the event store.', stray);
    const made = await sealAll({ store, codec, pool, clock: systemClock }, { key: sealKeyOf(setting(env, 'SEAL_KEY')), folder, onStray });
    say(`${made} seals made.`);
    if (folder?.differing) process.exitCode = BROKEN;
  } finally {
    await pool.end();
  }
}

const complain = (message: string, about: object): void => void process.stderr.write(`${message} ${JSON.stringify(about)}\n`);

async function tellPublicKey({ data }: { data: string }): Promise<void> {
  const env = await surroundings(data, ['SEAL_KEY']);
  const { publicKey } = sealKeyOf(setting(env, 'SEAL_KEY'));
  say(`${publicKey}\n\n${pemOf(publicKey).trimEnd()}`);
}

function setting(env: NodeJS.ProcessEnv, name: string): string {
  const file = env[`${name}_FILE`];
  const value = env[name] || (file ? readFileSync(file, 'utf8').trim() : undefined);
  if (!value) throw new OperatorError(`${name} is missing.`);
  return value;
}

const several = (value: string, before: string[] = []): string[] => [...before, value];
const folder = ['--data <folder>', 'data folder of a running `npm start`', join(project, '.data')] as const;

const program = new Command('audit').description('Proves that nothing was changed or taken away (docs/auditing.md).');
program
  .command('verify')
  .description(
    'verifies the event store, or an export: exit code 0 if all holds, 2 if not, 3 if nothing is sealed, 1 if it could not be seen',
  )
  .option('--file <path>', 'an export; without network and database')
  .option('--business <id>', 'only this one of the event store')
  .option('--public-key <key>', 'that seals must be signed with; several where it was changed', several)
  .option('--seal <path>', 'a seal that was kept elsewhere; several are fine', several)
  .option('--json', 'as JSON')
  .option(...folder)
  .action(verifyHistory);
program
  .command('seal')
  .description('seals all that has happened, now; to SEAL_FOLDER too, if that is set')
  .option(...folder)
  .action(sealNow);
program
  .command('public-key')
  .description('prints the public key of SEAL_KEY')
  .option(...folder)
  .action(tellPublicKey);

program.parseAsync().then(
  () => process.exit(), // the store's client would keep us for the reads that it has not seen the end of
  (error: unknown) => {
    process.stderr.write(`${error instanceof OperatorError ? error.message : inspect(error)}\n`);
    process.exit(1);
  },
);
