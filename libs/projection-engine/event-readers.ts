import type { Pool } from 'pg';
import { EVENT_FEED } from './event-feed.js';
import type { Freshness } from './freshness.js';

/** An event as the feed has it: as it was stored, without what is personal. */
export interface FeedEvent {
  position: string;
  eventId: string;
  stream: string;
  revision: string;
  type: string;
  version: number; // of the shape of its data
  at: string; // when it was recorded
  correlationId: string;
  causationId: string;
  actorId: string;
  actorRole: string;
  policy: string | null;
  people: string[]; // whose personal fields are left out
  data: object;
}

export interface FeedQuery {
  after: bigint | undefined;
  /** Only these; undefined: all. */
  types: readonly string[] | undefined;
  /** Events given at once, at most. */
  limit: number;
}

export interface FeedPage {
  events: FeedEvent[];
  /** All that is wanted up to here is given, on this page or before it. Undefined: the feed has nothing. */
  through: bigint | undefined;
  /** There may be more: ask again at once. */
  more: boolean;
  /** What was known of news when it was read. */
  asOf: number;
}

const LOOKED_THROUGH = 1_000; // rows at once, where only some are wanted
const LOOK_APART = 20; // ms between two looks for news, at least
const LOOK_ANYWAY = 5_000; // ms: what the projector tells can be lost with its connection

interface Waiting {
  business: string;
  after: bigint;
  tell: () => void;
}

/** Reads the feed, for whoever follows it. However many wait in this process: one question finds out whose business has news. */
export class EventReaders {
  private readonly waiting = new Set<Waiting>();
  private news = 0;
  private isLooking = false;
  private isAskedAgain = false; // while it looked: who came meanwhile was not looked for
  private readonly stopHearing: () => void;
  private readonly anyway: NodeJS.Timeout;

  constructor(
    private readonly pool: Pool,
    freshness: Pick<Freshness, 'onMove'>,
  ) {
    this.stopHearing = freshness.onMove(EVENT_FEED, () => {
      this.news += 1;
      this.look();
    });
    this.anyway = setInterval(() => this.look(), LOOK_ANYWAY).unref();
  }

  async page(business: string, { after, types, limit }: FeedQuery): Promise<FeedPage> {
    const asOf = this.news;
    const looked = (types ? Math.max(limit, LOOKED_THROUGH) : limit) + 1;
    const { rows } = await this.pool.query<Omit<FeedEvent, 'data'> & { data: object | null }>({
      name: types ? 'events of types' : 'events',
      text: `${SELECTED(types ? 'CASE WHEN type = ANY($4) THEN data END' : 'data')} ORDER BY e.position LIMIT $3`,
      values: [business, after ?? -1n, looked, ...(types ? [types] : [])],
    });
    const considered = rows.slice(0, looked - 1);
    const wanted = considered.filter((row): row is FeedEvent => row.data !== null);
    const events = wanted.slice(0, limit);
    const isCut = events.length < wanted.length;
    const last = isCut ? events.at(-1) : considered.at(-1);
    return { events, through: last ? BigInt(last.position) : after, more: isCut || rows.length > considered.length, asOf };
  }

  /** Resolves when there may be news after a page: whether there are; at the latest in so many ms, or when the signal says stop. */
  async newsAfter(business: string, { through = -1n, asOf }: FeedPage, ms: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    return new Promise((resolve) => {
      const told = (hasNews: boolean) => {
        clearTimeout(patience);
        signal.removeEventListener('abort', stop);
        this.waiting.delete(waiting);
        resolve(hasNews);
      };
      const stop = () => told(false);
      const waiting: Waiting = { business, after: through, tell: () => told(true) };
      const patience = setTimeout(stop, ms);
      signal.addEventListener('abort', stop);
      this.waiting.add(waiting);
      if (asOf !== this.news) this.look(); // they came while the page was read
    });
  }

  close(): void {
    clearInterval(this.anyway);
    this.stopHearing();
  }

  private look(): void {
    if (this.isLooking) {
      this.isAskedAgain = true;
      return;
    }
    if (!this.waiting.size) return;
    this.isLooking = true;
    void this.tellOfNews()
      .catch(() => undefined) // Postgres is away: what was missed is found anyway, later
      .then(() => new Promise<void>((resolve) => setTimeout(resolve, LOOK_APART).unref()))
      .finally(() => {
        const again = this.isAskedAgain;
        this.isLooking = this.isAskedAgain = false;
        if (again) this.look();
      });
  }

  private async tellOfNews(): Promise<void> {
    const asked = [...this.waiting];
    const { rows } = await this.pool.query<{ n: number }>({
      name: 'news',
      text: `SELECT n::int FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS waiting (business, after, n)
        WHERE EXISTS (SELECT FROM event_feed.events WHERE business_id = business AND position > after)`,
      values: [asked.map(({ business }) => business), asked.map(({ after }) => after)],
    });
    for (const { n } of rows) asked[n - 1]!.tell();
  }
}

const SELECTED = (data: string) => `
  SELECT position::text, event_id AS "eventId", stream, revision::text, type, version,
    to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, correlation_id AS "correlationId",
    causation_id AS "causationId", actor_id AS "actorId", actor_role AS "actorRole", policy, people, ${data} AS data
  FROM event_feed.events e WHERE business_id = $1 AND position > $2`;
