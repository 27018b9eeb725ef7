import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { pino } from 'pino';
import { mintToken } from '../../libs/auth/tokens.js';
import { openCommandHandling } from '../../libs/command-handling/command-handling.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import { business, createBusiness } from '../../libs/domain/business/business.js';
import { defaultSettings } from '../../libs/domain/business/business.events.js';
import { connectEventStore } from '../../libs/event-store/event-store.js';
import { startProgram, type Program } from './program.js';

// The service as processes that a test kills, pauses and starts again.

export type PolicyMode = 'api' | 'projector' | 'both';

interface FleetOptions {
  databaseUrl: string;
  eventsUrl?: string; // the database of the event store; the same unless told
  policies?: PolicyMode;
  apis?: number;
  projectors?: number;
  env?: Record<string, string>; // of APIs and projectors
}

export interface Fleet {
  eventStore: Part;
  apis: Part[];
  projectors: Part[];
  /** The same as an API or a projector of the fleet, but not started, and with FAILPOINT set. */
  doomed(path: 'apps/api/main.js' | 'apps/projector/main.js', failpoint: string): Part;
  desk: Desk;
  /** Staff of another business. */
  openDesk(): Promise<Desk>;
  /** How this process reads what the others wrote. */
  reader: Parts;
  pool: Pool;
  secrets: { operatorKey: string; requestHashKey: string };
  stop(): Promise<void>;
}

const SECRET = 'a secret for tests only, of enough bytes';

export async function startFleet({
  databaseUrl,
  eventsUrl = databaseUrl,
  policies = 'both',
  apis = 1,
  projectors = 1,
  env = {},
}: FleetOptions): Promise<Fleet> {
  const eventStore = new Part('libs/embedded-event-store/main.js', { DATABASE_URL: eventsUrl }, 'EVENT_STORE_PORT');
  await eventStore.start();
  const settings = {
    ...{ DATABASE_URL: databaseUrl, EVENTSTORE_URL: eventStore.url, POLICIES: policies, LOG_LEVEL: 'warn', RATE_LIMIT_PER_MINUTE: '0' },
    ...{ JWT_SECRET: SECRET, REQUEST_HASH_KEY: SECRET, OPERATOR_KEY: SECRET, ...env },
  };
  const api = (failpoint?: string) => new Part('apps/api/main.js', { ...settings, ...(failpoint && { FAILPOINT: failpoint }) }, 'PORT');
  const projector = (failpoint?: string) => new Part('apps/projector/main.js', { ...settings, ...(failpoint && { FAILPOINT: failpoint }) });
  const servers = Array.from({ length: apis }, () => api());
  const followers = Array.from({ length: projectors }, () => projector());
  const started = [...servers, ...followers];
  try {
    await Promise.all(started.map((part) => part.start()));
  } catch (error) {
    await Promise.all([eventStore, ...started].map((part) => part.kill()));
    throw error;
  }

  const pool = new Pool({ connectionString: databaseUrl, max: 4, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined); // Postgres may be what is killed
  const store = connectEventStore({ url: eventStore.url });
  const secrets = { operatorKey: SECRET, requestHashKey: SECRET };
  const reader = await openCommandHandling({ store, pool, policies: 'projector', log: pino({ level: 'silent' }), ...secrets });
  return {
    ...{ eventStore, apis: servers, projectors: followers, reader, pool, secrets },
    desk: await openDesk(reader),
    openDesk: () => openDesk(reader),
    doomed: (path, failpoint) => {
      const part = path === 'apps/api/main.js' ? api(failpoint) : projector(failpoint);
      started.push(part);
      return part;
    },
    stop: async () => {
      await reader.close();
      await store.dispose();
      await Promise.all(started.map((part) => part.kill()));
      await eventStore.kill();
      await pool.end();
    },
  };
}

/** One of our processes. Started again, it has the address that it had. */
export class Part {
  private program: Program | undefined;
  private readonly env: Record<string, string>;

  constructor(
    private readonly path: string,
    env: Record<string, string>,
    private readonly portIn?: string,
  ) {
    this.env = portIn ? { [portIn]: '0', ...env } : env;
  }

  get url(): string {
    return this.running.ready as string;
  }

  get pid(): number {
    return this.running.pid;
  }

  get hasEnded(): boolean {
    return !isRunning(this.pid);
  }

  async start(): Promise<void> {
    this.program = await startProgram(this.path, this.env);
    if (this.portIn) this.env[this.portIn] = /:(\d+)/.exec(this.url)![1]!;
  }

  /** `kill -9`; after it the process is gone. */
  async kill(): Promise<void> {
    await this.program?.kill();
  }

  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  wake(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Until it has ended, by itself. */
  async ended(): Promise<void> {
    await until(() => this.hasEnded, `${this.path} ends`);
  }

  private get running(): Program {
    if (!this.program) throw new Error(`${this.path} was not started`);
    return this.program;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Polls until it holds. Throws, saying what did not come true, after `patience` ms. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, patience = 120_000): Promise<void> {
  for (const since = performance.now(); !(await holds()); await sleep(50))
    if (performance.now() - since > patience) throw new Error(`It did not come true within ${patience} ms that ${what}.`);
}

export interface Sent {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: object | string; // a text is a file of CSV
}

export interface Reply {
  status: number;
  body: Record<string, unknown> & { code?: string };
}

/** Somebody of the staff of one business, who sends commands with keys. */
export interface Desk {
  business: string;
  actor: string;
  token: string;
  /** Rejects when there is no answer. The correlation id stays the same when the same is sent again. */
  send(url: string, sent: Sent, as?: { key: string; correlationId: string }): Promise<Reply>;
  /** The answer of what must succeed. */
  get<Answer = Record<string, string>>(url: string, sent: Sent, as?: { key: string; correlationId: string }): Promise<Answer>;
}

const NO_ANSWER = 40_000; // ms

async function openDesk({ handle, clock }: Parts): Promise<Desk> {
  const [id, actor] = [randomUUID(), 'desk'];
  const description = { businessId: id, name: 'Clinic', timeZone: 'America/Toronto', currency: 'CAD', settings: defaultSettings };
  const context = { commandId: randomUUID(), business: id, actor: { id: actor, role: 'owner' as const }, now: clock() };
  await handle(business, id, { ...context, correlationId: randomUUID(), causationId: context.commandId }, createBusiness(description));
  const token = await mintToken({ secret: SECRET, sub: actor, business: id, role: 'owner', expiresIn: '2h' });

  const send: Desk['send'] = async (url, { method, path, body }, { key, correlationId } = newKey()) => {
    const headers = {
      ...{ authorization: `Bearer ${token}`, 'idempotency-key': key, 'x-correlation-id': correlationId },
      ...(body !== undefined && { 'content-type': typeof body === 'string' ? 'text/csv' : 'application/json' }),
    };
    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`${url}/v1${path}`, { method, headers, body: sent, signal: AbortSignal.timeout(NO_ANSWER) });
    return { status: answer.status, body: (await answer.json()) as Reply['body'] };
  };
  return {
    ...{ business: id, actor, token, send },
    get: async <Answer>(url: string, sent: Sent, as?: { key: string; correlationId: string }) => {
      const key = as ?? newKey();
      let { status, body } = await send(url, sent, key);
      for (let times = 0; body.code === 'NOT_YET_FRESH' && times < 12; times += 1) ({ status, body } = await send(url, sent, key));
      if (status >= 300) throw new Error(`${sent.method} ${sent.path}: ${status} ${JSON.stringify(body)}`);
      return body as Answer;
    },
  };
}

export const newKey = () => ({ key: randomUUID(), correlationId: randomUUID() });
