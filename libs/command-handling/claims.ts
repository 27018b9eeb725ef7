import type { Pool } from 'pg';
import type { Logger } from '../event-store/event-store.js';

export interface Claim {
  commandId: string;
  requestHash: string; // HMAC-SHA-256, hex
  hashKey: string; // id of the HMAC key
}

/**
 * `new`: nobody has sent this command before. `seen`: this very request was sent `age` ms ago, and answered so, if that is
 * known. `reused`: the id stands for another request.
 */
export type Claimed = { is: 'new' } | { is: 'seen'; age: number; answer?: unknown } | { is: 'reused' };

/**
 * L2: which request a command id stands for, so that a key that is used again for something else is seen, also when
 * that would go to another stream; and what it was answered, which its stream no longer says once it has moved on. The one
 * place where a decision rests on what is in Postgres.
 */
export class Claims {
  private readonly waiting: Waiting[] = [];
  private readonly answers = new Map<string, string>(); // still to be stored, by command id
  private busy = false;
  private keeping: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  async migrate(): Promise<void> {
    await this.pool.query(`
      SELECT pg_advisory_xact_lock(hashtext('punchcard commands'));
      CREATE SCHEMA IF NOT EXISTS commands;
      CREATE TABLE IF NOT EXISTS commands.claim (
        command_id uuid PRIMARY KEY,
        request_hash text NOT NULL,
        hash_key text NOT NULL,
        claimed_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      ALTER TABLE commands.claim ADD COLUMN IF NOT EXISTS answer jsonb, ADD COLUMN IF NOT EXISTS answered_at timestamptz;
      CREATE INDEX IF NOT EXISTS claim_answered_at ON commands.claim (answered_at) WHERE answered_at IS NOT NULL;`); // one implicit transaction, so that the lock is held until all of it is there
    await this.pool.query(FORGET);
  }

  /** Its first answer is what a repeat gets. Nobody waits for it to be stored: one that is lost is asked of the stream again. */
  keep(commandId: string, answer: object): void {
    if (this.answers.has(commandId)) return;
    this.answers.set(commandId, JSON.stringify(answer));
    this.keeping ??= this.storeAnswers();
  }

  /** Drops every answer that speaks of a person: their repeats are answered by what is stored. */
  async forget(personId: string): Promise<void> {
    for (const [commandId, answer] of this.answers) if (answer.includes(personId)) this.answers.delete(commandId);
    await this.pool.query(SCRUB, [`%${personId}%`]);
  }

  /** Once all answers are stored. */
  async close(): Promise<void> {
    await this.keeping;
  }

  /** Claims that come while others are being stored go together in the next statement. */
  claim(claim: Claim): Promise<Claimed> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ claim, resolve, reject });
      if (!this.busy) void this.store();
    });
  }

  private async store(): Promise<void> {
    this.busy = true;
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, MAX_GROUP);
      try {
        const rows = await this.insert(group.map(({ claim }) => claim));
        for (const { claim, resolve } of group) {
          const row = rows.get(claim.commandId)!;
          resolve(isAnother(claim, row) ? { is: 'reused' } : row.isNew ? { is: 'new' } : this.seen(claim, row));
          row.isNew = false; // of two at once, one is new
        }
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.busy = false;
  }

  /** As this process answered it a moment ago, or as it is stored. */
  private seen({ commandId }: Claim, { age, answer }: Row): Claimed {
    const given = this.answers.get(commandId);
    return { is: 'seen', age, answer: given === undefined ? (answer ?? undefined) : JSON.parse(given) };
  }

  private async storeAnswers(): Promise<void> {
    while (this.answers.size > 0) {
      const group = [...this.answers].slice(0, MAX_GROUP);
      try {
        const columns = [group.map(([id]) => id), group.map(([, answer]) => answer)];
        await this.pool.query({ name: 'answer', text: ANSWER, values: columns });
      } catch (error) {
        this.log.warn({ err: error, answers: group.length }, 'Answers could not be kept: their repeats are answered by what is stored.');
      }
      for (const [id] of group) this.answers.delete(id);
    }
    this.keeping = undefined;
  }

  private async insert(claims: Claim[]): Promise<Map<string, Row>> {
    const columns = [claims.map((c) => c.commandId), claims.map((c) => c.requestHash), claims.map((c) => c.hashKey)];
    const { rows } = await this.pool.query<{ id: string; hash: string; key: string }>({ name: 'claim', text: INSERT, values: columns });
    const stored = new Map<string, Row>(rows.map(({ id, ...row }) => [id, { ...row, isNew: true, age: 0, answer: null }]));
    const before = claims.filter(({ commandId }) => !stored.has(commandId)).map(({ commandId }) => commandId);
    if (before.length === 0) return stored;
    const seen = await this.pool.query<Omit<Row, 'isNew'> & { id: string }>({ name: 'claimed', text: SEEN, values: [before] });
    for (const { id, ...row } of seen.rows) stored.set(id, { ...row, isNew: false });
    return stored;
  }
}

const MAX_GROUP = 500;

const INSERT = `
  INSERT INTO commands.claim (command_id, request_hash, hash_key)
  SELECT DISTINCT ON (c.id) c.id, c.hash, c.key
    FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS c (id, hash, key, n) ORDER BY c.id, c.n
  ON CONFLICT DO NOTHING
  RETURNING command_id AS id, request_hash AS hash, hash_key AS key`;

const SEEN = `
  SELECT command_id AS id, request_hash AS hash, hash_key AS key,
         (extract(epoch FROM clock_timestamp() - claimed_at) * 1000)::float8 AS age, answer
    FROM commands.claim WHERE command_id = ANY ($1::uuid[])`;

/** Of two at once, the first one's. */
const ANSWER = `
  UPDATE commands.claim SET answer = a.answer::jsonb, answered_at = clock_timestamp()
    FROM unnest($1::uuid[], $2::text[]) AS a (id, answer)
   WHERE command_id = a.id AND answered_at IS NULL`;

/** Nobody repeats a request after a week; and an answer may say names. The claims themselves stay. */
const FORGET = `
  UPDATE commands.claim SET answer = NULL, answered_at = NULL WHERE answered_at < clock_timestamp() - interval '7 days'`;

const SCRUB = `
  UPDATE commands.claim SET answer = NULL, answered_at = NULL WHERE answered_at IS NOT NULL AND answer::text LIKE $1`;

/** Hashes made with different keys can't be compared: the same command id then has to do. */
const isAnother = ({ requestHash, hashKey }: Claim, { hash, key }: Row): boolean => key === hashKey && hash !== requestHash;

interface Row {
  hash: string;
  key: string; // id of the HMAC key
  isNew: boolean;
  age: number; // ms
  answer: unknown; // null: none is kept
}

interface Waiting {
  claim: Claim;
  resolve: (claimed: Claimed) => void;
  reject: (error: unknown) => void;
}
