import type { Pool } from 'pg';
import { rowsAsOf } from './as-of.js';
import type { Projection } from './define-projection.js';
import { NOT_LIVE } from './schema.js';
import { type Build, buildName, tableName } from './sql-names.js';

/** Where the rows of a projection are, as SQL of a query that reads them. */
export interface Source {
  /** To stand after FROM or JOIN, under the name of the projection. */
  from: string;
  /** Holds as long as this table is the live one. */
  condition: string;
  /** The name of the prepared statement that asks this table so; undefined as of the past: there are too many moments to prepare for. */
  prepared(question: string): string | undefined;
}

/** A query of text: every value as Postgres writes it. */
export interface Question {
  /** Of the prepared statement; without, it is not prepared. */
  name?: string | undefined;
  text: string;
  values: unknown[];
}

export type TextRow = (string | null)[];

/** As much of a projection as reading it takes. */
export type Readable = Pick<Projection, 'name' | 'version' | 'columns' | 'history'>;

/**
 * The one place that knows which table a query reads: the live build of the version that this code has. What a rebuild has switched off
 * meanwhile is asked again of what is live now, so that no caller sees it.
 */
export interface Sources {
  /**
   * The rows that a query of one projection gives.
   * @param asOf as they were once the event at this position had been folded; undefined: as they are now
   * @throws NotBuilt
   */
  read(projection: Readable, asOf: bigint | undefined, questionOf: (source: Source) => Question): Promise<TextRow[]>;
  /**
   * Whatever reads several projections, or takes several statements: done again from its start if the first that it read is no longer live.
   * @throws NotBuilt
   */
  use<T>(work: (sourceOf: (projection: Readable, asOf?: bigint) => Source) => Promise<T>): Promise<T>;
  /**
   * Resolves when there is a live table of every projection.
   * @throws NotBuilt
   */
  requireBuilt(): Promise<void>;
}

/** The version that this code has of a projection is still being built. */
export class NotBuilt extends Error {
  override name = 'NotBuilt';

  constructor({ name, version }: Build) {
    super(`The read model ${name}, version ${version}, is still being built. Repeat the call later.`);
  }
}

const MOST_SWITCHES = 5; // of builds while one question is asked
const UNDEFINED_TABLE = '42P01'; // SQLSTATE: what is not live is dropped later

/** @param pool whose sessions have the TimeZone UTC */
export function openSources(pool: Pool, projections: readonly Readable[]): Sources {
  const live = new LiveBuilds(pool);

  const use: Sources['use'] = async (work) => {
    for (let again = 0; ; again += 1) {
      const sourceOf = (projection: Readable, asOf?: bigint): Source => {
        const source = live.of(projection);
        if (!source) throw new NotBuilt(projection);
        return asOf === undefined ? source : pastOf(projection, source, asOf);
      };
      try {
        return await work(sourceOf);
      } catch (error) {
        const isOver = error instanceof NotBuilt ? again === 0 : isNotLive(error) && again < MOST_SWITCHES;
        if (!isOver) throw error;
        await live.look();
      }
    }
  };

  return {
    use,
    read: (projection, asOf, questionOf) => use((sourceOf) => ask(pool, questionOf(sourceOf(projection, asOf)))),
    requireBuilt: async () => {
      await use((sourceOf) => Promise.resolve(projections.forEach((projection) => sourceOf(projection))));
    },
  };
}

interface LiveSource extends Source {
  build: Build;
}

const presentOf = (build: Required<Build>): LiveSource => ({
  build,
  from: `${tableName(build)} AS ${build.name}`,
  condition: `read_models.require_live('${build.name}', ${build.version}, ${build.build})`,
  prepared: (question) => `${question} ${buildName(build)}`,
});

const pastOf = (projection: Readable, { build, condition }: LiveSource, asOf: bigint): Source => ({
  from: `${rowsAsOf(projection, build, asOf)} AS ${build.name}`,
  condition,
  prepared: () => undefined,
});

/** Which build of each version is live, as last seen. */
class LiveBuilds {
  private seen = new Map<string, LiveSource>();
  private looking: Promise<void> | undefined;

  constructor(private readonly pool: Pool) {}

  of = ({ name, version }: Readable): LiveSource | undefined => this.seen.get(`${name} ${version}`);

  /** At most one question at a time, whoever wants to know. */
  look(): Promise<void> {
    this.looking ??= this.read().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async read(): Promise<void> {
    const { rows } = await this.pool.query<Required<Build>>('SELECT projection AS name, version, build FROM read_models.live_builds');
    this.seen = new Map(rows.map((build) => [`${build.name} ${build.version}`, presentOf(build)]));
  }
}

const isNotLive = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === NOT_LIVE || error.code === UNDEFINED_TABLE);

export const ask = async (pool: Pool, question: Question): Promise<TextRow[]> =>
  (await pool.query<TextRow>({ ...question, rowMode: 'array', types: AS_TEXT })).rows;

const AS_TEXT = { getTypeParser: () => (text: string) => text };
