import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { pino } from 'pino';
import type { CallerRole } from '../../libs/auth/roles.js';
import { mintToken } from '../../libs/auth/tokens.js';
import type { Clock } from '../../libs/command-handling/clock.js';
import { CommandHandlingModule } from '../../libs/command-handling/command-bus.js';
import { openCommandHandling, personalKeysOf } from '../../libs/command-handling/command-handling.js';
import type { Answered, Caller as CommandCaller, CommandOf } from '../../libs/command-handling/command.js';
import { CreateBusiness } from '../../libs/command-handling/commands/business.commands.js';
import { defaultSettings, type BusinessDescription } from '../../libs/domain/business/business.events.js';
import { domainEvents } from '../../libs/domain/events.js';
import { type Codec, createCodec } from '../../libs/event-store/codec.js';
import { connectEventStore, type EventStore } from '../../libs/event-store/event-store.js';
import type { Surroundings } from '../../apps/api/parts.js';
import { NUMBERING } from '../../apps/projector/numbering.js';
import { TODO } from '../../libs/projection-engine/todo.js';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { isUpToDate, wholeHistory } from './afresh.js';
import { Caller, type Seen } from './caller.js';
import { documentedBy, type Documented } from './documented.js';
import { createDatabase } from './postgres.js';
import { startProgram, type Program } from './program.js';
import { relayTo, type Relay } from './relay.js';

export const POLICY_MODES = ['api', 'projector', 'both'] as const;
export type PolicyMode = (typeof POLICY_MODES)[number];

export interface ServiceOptions {
  policies?: PolicyMode;
  apis?: number;
  env?: Record<string, string>; // of the API processes and the projector
}

/** The whole service on real parts, each a process of its own: event store, API processes, projector; a database of its own. */
export interface Service {
  urls: readonly string[];
  policies: PolicyMode;
  documented: Documented;
  eventStoreUrl: string;
  pool: Pool;
  /** The one connection of this process to the event store. */
  store: EventStore;
  /** Reads as a process does that starts now: with the keys that there are. */
  codec: Pick<Codec, 'decode'>;
  createBusiness(said?: Partial<Omit<BusinessDescription, 'businessId'>>): Promise<Business>;
  /** Carries out a command as if it were then: the way to a past that HTTP does not give. */
  at<Answer>(now: string, business: Business, command: (caller: CommandCaller) => CommandOf<unknown, Answer>): Promise<Answer>;
  /** With policies in the projector alone: until all that follows from what has happened has been carried out, and can be read. Else at once. */
  settled(): Promise<void>;
  /** Position of the last event, once every invoice has its number: nothing comes after it by itself. The projector must run. */
  lastPosition(): Promise<bigint>;
  /** All that has happened, once all that follows has followed. The projector must run. */
  history(): Promise<readonly Recorded[]>;
  /** One more API, which callers do not know of, with settings of its own. */
  startApi(env: Record<string, string>): Promise<Program>;
  /** The same, with event store and Postgres at the other end of a way that can be cut. Whoever starts it cuts it. */
  startApiToCut(env: Record<string, string>): Promise<Program & Pick<Relay, 'cut'>>;
  /** One more API, in this process and with a clock of its own; whoever starts it closes it. */
  apiWith(clock: Clock): Promise<{ url: string; close(): Promise<void> }>;
  /** What the projector's command line says, once it has ended well. */
  projector(...args: string[]): Promise<string>;
  /** Where the projector answers, with PROJECTOR_PORT in `env`. */
  projectorUrl(): string;
  stopProjector(): Promise<void>;
  startProjector(): Promise<void>;
  stop(): Promise<void>;
}

export interface Business {
  id: string;
  seen: Seen;
  /** A caller with a token of this role; `clientId` for clients. */
  as(role: CallerRole, clientId?: string): Promise<Caller>;
  /** A caller with any headers, and no token unless they hold one. */
  anybody(headers?: Record<string, string>): Caller;
  token(role: CallerRole, how?: { clientId?: string; expiresIn?: number; secret?: string; business?: string }): Promise<string>;
}

const CLI = fileURLToPath(new URL('../../dist/apps/projector/cli.js', import.meta.url));
const JWT_SECRET = 'a secret of the tests, and only of the tests';
const REQUEST_HASH_KEY = 'a request hash key of the tests, and only of the tests';
const OPERATOR_KEY = 'an operator key of the tests, and only of the tests';
const POLL = 20; // ms

export async function startService({ policies = 'both', apis = 1, env = {} }: ServiceOptions = {}): Promise<Service> {
  const database = await createDatabase();
  const eventStore = process.env.EVENTSTORE_URL
    ? undefined
    : await startProgram('libs/embedded-event-store/main.js', { DATABASE_URL: database.url, EVENT_STORE_PORT: '0' });
  const settings = {
    ...{ DATABASE_URL: database.url, EVENTSTORE_URL: process.env.EVENTSTORE_URL ?? (eventStore!.ready as string) },
    ...{ JWT_SECRET, REQUEST_HASH_KEY, OPERATOR_KEY, POLICIES: policies, PORT: '0', LOG_LEVEL: 'warn', ...env },
  };
  const launchProjector = () => startProgram('apps/projector/main.js', settings);
  const [projector, commands, ...servers] = await Promise.all([
    launchProjector(),
    openCommands(settings.EVENTSTORE_URL, database.url),
    ...Array.from({ length: apis }, () => startProgram('apps/api/main.js', settings)),
  ]);
  const urls = servers.map(({ ready }) => ready as string);
  const documented = documentedBy(await (await fetch(`${urls[0]}/openapi.json`)).text());
  let following: Program | undefined = projector;

  const { pool, store } = commands;
  return {
    ...{ urls, policies, documented, pool, store, eventStoreUrl: settings.EVENTSTORE_URL },
    get codec() {
      return createCodec(domainEvents, personalKeysOf(pool, OPERATOR_KEY));
    },
    createBusiness: async (said = {}) => {
      const businessId = randomUUID();
      const description = { name: 'Clinic', timeZone: 'America/Toronto', currency: 'CAD', settings: defaultSettings, ...said };
      const { position } = await commands.execute(new CreateBusiness(callerOf(businessId), description));
      return businessOf(businessId, { urls, documented, seen: { position: BigInt(position) } });
    },
    at: async (now, { id, seen }, command) => {
      const answer = await commands.execute(command(callerOf(id)), now);
      if (BigInt(answer.position) > seen.position) seen.position = BigInt(answer.position);
      return answer;
    },
    settled: async () => {
      while (policies === 'projector' && !(await isSettled(pool, store))) await sleep(POLL);
    },
    lastPosition: async () => {
      for (;;) {
        const last = (await store.lastPosition()) ?? -1n;
        if ((await positionOf(pool, NUMBERING)) >= last && (await store.lastPosition()) === last) return last;
        await sleep(POLL);
      }
    },
    history: async () => {
      while (!(await isUpToDate(pool, store, policies === 'api' ? 'elsewhere' : 'here'))) await sleep(POLL);
      return (await wholeHistory(commands.parts)).events;
    },
    startApi: (own) => startProgram('apps/api/main.js', { ...settings, ...own }),
    startApiToCut: async (own) => {
      const relays = await Promise.all([database.url, settings.EVENTSTORE_URL].map(relayTo));
      const [DATABASE_URL, EVENTSTORE_URL] = relays.map(({ url }) => url) as [string, string];
      const cut = () => relays.forEach((relay) => relay.cut());
      try {
        return { ...(await startProgram('apps/api/main.js', { ...settings, ...own, DATABASE_URL, EVENTSTORE_URL })), cut };
      } catch (error) {
        cut();
        throw error;
      }
    },
    apiWith: async (clock) => {
      const { createApp } = await import('../../apps/api/app.js'); // much to load for the many who do not ask for it
      const { configFromEnv } = await import('../../apps/api/config.js');
      const { connectParts } = await import('../../apps/api/parts.js');
      const connect = (around: Surroundings) => connectParts({ ...around, clock });
      const app = await createApp(configFromEnv(settings), { connect, logger: pino({ level: 'warn' }) });
      await app.listen(0, '127.0.0.1');
      return { url: await app.getUrl(), close: () => app.close() };
    },
    projector: async (...args) =>
      (await promisify(execFile)(process.execPath, [CLI, ...args], { env: { ...process.env, ...settings } })).stdout,
    projectorUrl: () => following!.ready as string,
    stopProjector: async () => {
      await following?.stop();
      following = undefined;
    },
    startProjector: async () => {
      following ??= await launchProjector();
    },
    stop: async () => {
      await Promise.all([commands.close(), following?.stop(), ...servers.map((server) => server.stop())]);
      await eventStore?.stop();
      await database.drop();
    },
  };
}

/** Commands given without HTTP: there is no operation that creates a business. */
const openCommands = async (eventStoreUrl: string, databaseUrl: string) => {
  const pool = new Pool({ connectionString: databaseUrl, max: 4 });
  const log = pino({ level: 'warn' });
  pool.on('error', (error) => log.warn({ err: error }, 'A connection to Postgres broke'));
  const store = connectEventStore({ url: eventStoreUrl, logger: log });
  let now: string | undefined;
  const clock = () => now ?? new Date().toISOString();
  const parts = await openCommandHandling({
    ...{ store, pool, log, clock, policies: 'api' },
    ...{ operatorKey: OPERATOR_KEY, requestHashKey: REQUEST_HASH_KEY },
  });
  const app = await NestFactory.createApplicationContext(CommandHandlingModule.with(parts), { logger: false });
  return {
    ...{ pool, store, parts },
    execute: async <Answer>(command: CommandOf<unknown, Answer>, at?: string): Promise<Answered<Answer>> => {
      now = at;
      return app.get(CommandBus).execute(command);
    },
    close: async () => {
      await app.close();
      await parts.close();
      await store.dispose();
      await pool.end();
    },
  };
};

const callerOf = (business: string): CommandCaller => ({
  business,
  actor: { id: 'some-owner', role: 'owner' },
  correlationId: randomUUID(),
});

const businessOf = (id: string, around: { urls: readonly string[]; documented: Documented; seen: Seen }): Business => {
  const token: Business['token'] = (role, { expiresIn = 3600, secret = JWT_SECRET, clientId, business = id } = {}) =>
    mintToken({ secret, sub: `some-${role}`, business, role, clientId, expiresIn });
  const anybody: Business['anybody'] = (headers = {}) => new Caller({ ...around, headers });
  return {
    ...{ id, seen: around.seen, token, anybody },
    as: async (role, clientId) => anybody({ authorization: `Bearer ${await token(role, { clientId })}` }),
  };
};

/** The to-do list has seen the last event, and nothing is on it. */
const isSettled = async (pool: Pool, store: EventStore): Promise<boolean> => {
  const last = await store.lastPosition();
  const { rows } = await pool.query<{ behind: number; waiting: number }>(
    `SELECT (SELECT count(*)::int FROM (SELECT position FROM read_models.checkpoints
        UNION ALL SELECT position FROM policies.checkpoints WHERE projection = $2) c WHERE position IS NULL OR position < $1) AS behind,
      (SELECT count(*)::int FROM policies.todo WHERE parked IS NULL) AS waiting`,
    [last ?? -1n, TODO],
  );
  return rows[0]!.behind === 0 && rows[0]!.waiting === 0 && (await store.lastPosition()) === last; // what followed meanwhile is to be seen too
};

/** How far a consumer with effects is; -1: nowhere yet. */
const positionOf = async (pool: Pool, consumer: string): Promise<bigint> => {
  const { rows } = await pool.query<{ position: string | null }>('SELECT position::text FROM policies.checkpoints WHERE projection = $1', [
    consumer,
  ]);
  return BigInt(rows[0]?.position ?? -1);
};
