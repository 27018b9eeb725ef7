import type { Pool } from 'pg';

/**
 * The commands of policies that came to nothing: decided, once, without an event, or refused and made good. No stream tells of them, so
 * they stand here: what was decided is not decided again by whoever comes later, on a state that has moved on. One that dies before it
 * says so has not answered either: then it is decided by the next.
 */
export class CameToNothing {
  constructor(private readonly pool: Pool) {}

  async migrate(): Promise<void> {
    await this.pool.query(`
      SELECT pg_advisory_xact_lock(hashtext('punchcard commands'));
      CREATE SCHEMA IF NOT EXISTS commands;
      CREATE TABLE IF NOT EXISTS commands.came_to_nothing (
        command_id uuid PRIMARY KEY,
        decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );`); // one implicit transaction, so that the lock is held until all of it is there
  }

  /** Before what asked for the command is answered. */
  async note(commandId: string): Promise<void> {
    await this.pool.query({ name: 'came to nothing', text: NOTE, values: [commandId] });
  }

  async has(commandId: string): Promise<boolean> {
    const { rowCount } = await this.pool.query({ name: 'has come to nothing', text: KNOWN, values: [commandId] });
    return rowCount === 1;
  }
}

const NOTE = 'INSERT INTO commands.came_to_nothing (command_id) VALUES ($1) ON CONFLICT DO NOTHING';
const KNOWN = 'SELECT FROM commands.came_to_nothing WHERE command_id = $1';
