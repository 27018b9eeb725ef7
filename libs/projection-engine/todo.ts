import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Recorded } from '../domain/kernel/event.js';
import { FIRST_VALUE, NOTHING, type Write } from './checkpoint.js';
import { type Consumer, PoisonEvent } from './consumer.js';
import type { EventRef } from './feed.js';

// The policies' to-do list. A policy's command is normally given by the API, right after the event that asks for it; if the API
// died in between, it stays on this list and is carried out by the projector. Giving it twice has one effect: its id is the same.

export const TODO = 'todo';
export const TODO_VERSION = 1;
const GRACE = 2_000; // ms for the API to do it
/** ms before what arrives is written, within which most commands are done, and then nothing is; and between two looks at what is due. */
const BESIDE_AN_API = { linger: 200, look: 500 };
const ALONE = { linger: 0, look: 50 }; // somebody waits for what follows
const AT_ONCE = 20;
const MAX_ATTEMPTS = 10;
const BACK_OFF = { first: 1_000, most: 300_000 }; // ms, doubling
const MAX_REMEMBERED = 100_000; // ids of commands on the list

/** A command that a policy gives because of an event. */
export interface AskedFor {
  policy: string;
  ordinal: number;
  commandId: string;
}

/** The same, and which event it was. */
export interface TriggerRef extends AskedFor, EventRef {
  business: string;
  position: bigint;
}

export interface TodoOptions {
  /** Names of all policies. One that is new starts with the events after the list's own checkpoint; the first ever start with the first event. */
  policies: readonly string[];
  /** Types of events that ask for commands. */
  triggers: ReadonlySet<string>;
  commandsOf: (event: Recorded) => readonly AskedFor[];
  /** Gives the command. A refusal that nothing makes good is parked; what it throws is tried again, then parked. */
  carryOut: (trigger: TriggerRef) => Promise<'done' | { parked: string }>;
  /** Milliseconds that the API has to do it first. */
  grace?: number;
}

export interface Todo {
  consumer: Consumer;
  /** Before anything is consumed: which events concern which policy. */
  start(): Promise<void>;
  /** Carries out what is due until the signal says stop. */
  run(signal: AbortSignal): Promise<void>;
}

export function todoOf(
  { policies, triggers, commandsOf, carryOut, grace = GRACE }: TodoOptions,
  pool: Pool,
  logger: Pick<Logger, 'warn' | 'error'>,
): Todo {
  const { linger, look } = grace === 0 ? ALONE : BESIDE_AN_API;
  let started = new Map<string, bigint | null>();
  /** Ids on the list, so that an event that does nothing from it costs nothing. Undefined: to be read; null: too many. */
  let listed: Set<string> | null | undefined;

  const fold = async (events: readonly Recorded[]): Promise<Write> => {
    listed ??= await readListed(pool);
    const asked = new Map<string, TriggerRef>();
    const done = new Set<string>();
    for (const event of events) {
      const { commandId, business } = event.metadata;
      if (!asked.delete(commandId) && (listed?.has(commandId) ?? true)) done.add(commandId);
      if (!triggers.has(event.type)) continue;
      for (const command of orPoison(event, () => commandsOf(event))) {
        const from = started.get(command.policy);
        if (from === undefined || (from !== null && event.position <= from)) continue;
        const { id, stream, revision, position } = event;
        asked.set(command.commandId, { ...command, business, position, id, stream, revision });
      }
    }
    for (const id of asked.keys()) listed?.add(id);
    for (const id of done) listed?.delete(id);
    return writeOf([...asked.values()], [...done], grace);
  };

  const forget = (id: string) => listed?.delete(id);
  const doOne = async (trigger: DueRow) => {
    const outcome = await attempt(trigger, carryOut);
    if (outcome === 'done') {
      await pool.query('DELETE FROM policies.todo WHERE command_id = $1', [trigger.commandId]);
      return forget(trigger.commandId);
    }
    const { parked, failure } = outcome;
    if (parked) logger.error({ trigger: said(trigger), parked }, 'A command of a policy is parked: nobody tries it any more.');
    else logger.warn({ trigger: said(trigger), failure }, 'A command of a policy failed; it is tried again.');
    await pool.query(
      `UPDATE policies.todo SET attempts = attempts + 1, failure = $2, parked = $3, parked_at = CASE WHEN $3::text IS NULL THEN NULL ELSE now() END,
        due = now() + least($4 * 2 ^ attempts, $5) * interval '1 ms' WHERE command_id = $1`,
      [trigger.commandId, failure, parked, BACK_OFF.first, BACK_OFF.most],
    );
  };

  return {
    consumer: {
      name: TODO,
      version: TODO_VERSION,
      concerns: (type) => triggers.has(type),
      fold,
      reset: () => {
        listed = undefined;
      },
      linger,
    },
    start: async () => {
      started = await startPolicies(pool, policies);
    },
    run: async (signal) => {
      while (!signal.aborted) {
        const due = await readDue(pool).catch((error: unknown) => {
          logger.warn({ err: error }, 'The to-do list could not be read; it is tried again.');
          return [];
        });
        const written = await Promise.all(
          due.map((trigger) =>
            doOne(trigger).then(
              () => true,
              (error: unknown) => logger.warn({ err: error }, 'The to-do list could not be written.'),
            ),
          ),
        );
        // What was done may be what the next of its stream has waited for.
        if (!written.some(Boolean)) await sleep(look, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

interface DueRow extends TriggerRef {
  attempts: number;
}

async function attempt(
  trigger: DueRow,
  carryOut: TodoOptions['carryOut'],
): Promise<'done' | { parked: string | null; failure: string | null }> {
  try {
    const outcome = await carryOut(trigger);
    return outcome === 'done' ? outcome : { parked: outcome.parked, failure: null };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { parked: trigger.attempts + 1 >= MAX_ATTEMPTS ? `failed ${MAX_ATTEMPTS} times: ${failure}` : null, failure };
  }
}

const said = ({ commandId, policy, ordinal, stream, revision }: TriggerRef) => ({
  commandId,
  policy,
  ordinal,
  stream,
  revision: String(revision),
});

async function readListed(pool: Pool): Promise<Set<string> | null> {
  const { rows } = await pool.query<{ command_id: string }>(`SELECT command_id FROM policies.todo LIMIT ${MAX_REMEMBERED + 1}`);
  return rows.length > MAX_REMEMBERED ? null : new Set(rows.map(({ command_id }) => command_id));
}

async function startPolicies(pool: Pool, policies: readonly string[]): Promise<Map<string, bigint | null>> {
  await pool.query(
    `INSERT INTO policies.started (policy, position)
      SELECT policy, CASE WHEN EXISTS (SELECT FROM policies.started) THEN (SELECT position FROM policies.checkpoints WHERE projection = '${TODO}') END
      FROM unnest($1::text[]) AS policy ON CONFLICT DO NOTHING`,
    [policies],
  );
  const { rows } = await pool.query<{ policy: string; position: string | null }>('SELECT policy, position::text FROM policies.started');
  return new Map(rows.map(({ policy, position }) => [policy, position === null ? null : BigInt(position)]));
}

function writeOf(asked: readonly TriggerRef[], done: readonly string[], grace: number): Write {
  if (!asked.length && !done.length) return NOTHING;
  const rows = asked.map(({ commandId, policy, ordinal, business, position, id, stream, revision }) => ({
    command_id: commandId,
    policy,
    ordinal,
    business_id: business,
    position: String(position),
    event_id: id,
    stream,
    revision: String(revision),
  }));
  return {
    kind: ' list',
    values: [JSON.stringify(rows), JSON.stringify(done)],
    ctes: [
      `written AS (INSERT INTO policies.todo (command_id, policy, ordinal, business_id, position, event_id, stream, revision, due)
        SELECT command_id, policy, ordinal, business_id, position, event_id, stream, revision, now() + ${Math.trunc(grace)} * interval '1 ms'
        FROM json_populate_recordset(NULL::policies.todo, $${FIRST_VALUE}) WHERE EXISTS (SELECT FROM moved) ON CONFLICT DO NOTHING)`,
      `removed AS (DELETE FROM policies.todo WHERE EXISTS (SELECT FROM moved)
        AND command_id IN (SELECT value::uuid FROM json_array_elements_text($${FIRST_VALUE + 1})))`,
    ],
  };
}

/** What follows from a stream's events is done in their order: the second may undo what the first one does. */
async function readDue(pool: Pool): Promise<DueRow[]> {
  const { rows } = await pool.query<
    Record<'command_id' | 'policy' | 'business_id' | 'position' | 'event_id' | 'stream' | 'revision', string> & {
      ordinal: number;
      attempts: number;
    }
  >(
    `SELECT command_id, policy, ordinal, business_id, position::text, event_id, stream, revision::text, attempts FROM policies.todo t
      WHERE parked IS NULL AND due <= now() AND NOT EXISTS (SELECT FROM policies.todo earlier
        WHERE earlier.stream = t.stream AND earlier.position < t.position AND earlier.parked IS NULL)
      ORDER BY due, t.position LIMIT ${AT_ONCE}`,
  );
  return rows.map(({ command_id, policy, ordinal, business_id, position, event_id, stream, revision, attempts }) => ({
    commandId: command_id,
    policy,
    ordinal,
    business: business_id,
    position: BigInt(position),
    id: event_id,
    stream,
    revision: BigInt(revision),
    attempts,
  }));
}

function orPoison<T>(event: Recorded, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new PoisonEvent(event, error);
  }
}
