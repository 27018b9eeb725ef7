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

const BROKEN = 2; // exit code: something does not hold; 1 is for what could not be verified
const MOST_SAID = 20;
const EVERY = 2_000; // ms, between two lines of progress

async function verifyHistory({ file, business, publicKey, seal = [], json, data }: Wanted): Promise<void> {
  const kept = (await Promise.all(seal.map(sealsIn))).flat();
  const options = { publicKeys: publicKey, kept, progress: json ? undefined : progressTo(process.stderr) };
  const verdicts = file === undefined ? await verifyStore(data, business, options) : await verifyFile(file, options);
  if (json) say(JSON.stringify(verdicts, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2));
  else for (const verdict of verdicts) tell(verdict);
  if (verdicts.some(({ faults }) => faults.length > 0)) process.exitCode = BROKEN;
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
  return verify(new StoredHistory(store, { business, through: (await store.lastPosition()) ?? -1n }), options);
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

function tell({ business, events, streams, seals, sealed, faults }: Verdict): void {
  const covers = seals === 0 ? 'no seal' : `${seals} seals over ${sealed} of them`;
  say(`${business}: ${events} events of ${streams} streams, ${covers}: ${faults.length === 0 ? 'all holds' : 'does not hold'}.`);
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
    const made = await sealAll({ store, codec, pool, clock: systemClock }, { key: sealKeyOf(setting(env, 'SEAL_KEY')) });
    say(`${made} seals made.`);
  } finally {
    await pool.end();
  }
}

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
  .description('verifies the event store, or an export: exit code 0 if all holds, 2 if not, 1 if that could not be seen')
  .option('--file <path>', 'an export; without network and database')
  .option('--business <id>', 'only this one of the event store')
  .option('--public-key <key>', 'that seals must be signed with; several are fine', several)
  .option('--seal <path>', 'a seal that was kept elsewhere; several are fine', several)
  .option('--json', 'as JSON')
  .option(...folder)
  .action(verifyHistory);
program
  .command('seal')
  .description('seals all that has happened, now')
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
