import type { Pool } from 'pg';

/** What came of verifying a read model last. */
export interface Verified {
  name: string;
  version: number;
  /** Up to which event; null: up to none. */
  position: string | null;
  rows: number;
  differences: number;
  /** Why it could not be verified; null: it was. */
  problem: string | null;
}

/** In the engine's schema: the last result of each version. */
export const VERIFIED = `
  CREATE TABLE IF NOT EXISTS read_models.verified (
    projection text NOT NULL,
    version integer NOT NULL,
    position bigint,
    rows bigint NOT NULL,
    differences bigint NOT NULL,
    problem text,
    verified_at timestamptz(3) NOT NULL,
    PRIMARY KEY (projection, version)
  );`;

export async function noteVerified(pool: Pool, { name, version, position, rows, differences, problem }: Verified): Promise<void> {
  await pool.query(
    `INSERT INTO read_models.verified VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp()) ON CONFLICT (projection, version)
      DO UPDATE SET position = excluded.position, rows = excluded.rows, differences = excluded.differences, problem = excluded.problem,
        verified_at = excluded.verified_at`,
    [name, version, position, rows, differences, problem],
  );
}

/** The last results, of versions that are live. */
export async function lastVerified(pool: Pool): Promise<(Verified & { verifiedAt: string })[]> {
  const { rows } = await pool.query<Verified & { verifiedAt: string }>(
    `SELECT projection AS name, version, position::text, rows::float8 AS rows, differences::float8 AS differences, problem,
        to_char(verified_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "verifiedAt"
      FROM read_models.verified JOIN read_models.live_builds USING (projection, version) ORDER BY projection, version`,
  );
  return rows;
}
