import { localDateOf } from '../../libs/domain/kernel/calendar.js';
import { mintToken } from '../../libs/auth/tokens.js';
import { clinic } from '../../libs/domain/testing/example-catalogue.js';
import { recorded } from '../../libs/projection-engine/testing/recorded.js';
import type { LoadResult } from '../http-load.js';
import type { LoadJob } from '../load.js';
import { median } from '../measured.js';
import { onStage, openEventStore, SECRETS, type Stage, UNDER_LOAD } from '../stage.js';
import { storeFacts } from '../store-facts.js';
import { fileVsCopy } from './file.js';
import { fill } from './fill.js';
import { businessOf, companyOf, idOf, offeringOf, rowsOf, TODAY, type Size } from './rows.js';

// npm run bench:reports: pages, sub-totals and files of a large business among others, against the read of one row; what and why is in
// bench/README.md. The last line is one JSON object.

const rounds = Number(process.env.ROUNDS ?? 3);
const size: Size = {
  businesses: Number(process.env.BUSINESSES ?? 20),
  large: Number(process.env.LARGE ?? 100_000),
  packages: Number(process.env.PACKAGES ?? 1_000_000),
  sessions: Number(process.env.SESSIONS ?? 5_000_000),
};
const PAGE = 50; // rows
const HUNDREDTH = 100;
const TIME = { warmUp: 300, time: 1_500 }; // ms of each measurement of pages, and of one row
const LONG = { warmUp: 300, time: 10_000 }; // of sub-totals
const KNOWN = 500; // packages that are read one by one

const year = new Date(TODAY).getUTCFullYear() - 1;

/** docs/reports.md says which these are: each is a walk along an index. */
const LISTS: Record<string, string> = {
  'sales by date': `/v1/reports/sales?soldFrom=${year}-01-01&sort=soldOn&descending=true`,
  'sales of a client': `/v1/reports/sales?clientId=${companyOf(0)}&sort=soldOn`,
  'sales of an offering': `/v1/reports/sales?offeringId=${offeringOf(0)}&sort=soldOn`,
  'sales owing, the largest first': '/v1/reports/sales?owing=true&sort=outstanding&descending=true',
  'sales by total': '/v1/reports/sales?sort=total&descending=true',
  'sales by what was refunded': '/v1/reports/sales?sort=refunded&descending=true',
  'sales by the end of their validity': `/v1/reports/sales?expiringUntil=${year + 1}-12-31&sort=expiresOn`,
  'sales by the name of the client': '/v1/reports/sales?sort=client',
  'usage by when it was recorded': '/v1/reports/usage?sort=recordedAt&descending=true',
  'usage of an owner': `/v1/reports/usage?ownerId=${companyOf(0)}&sort=recordedAt`,
  'packages, newest first': '/v1/packages?sort=soldOn&descending=true',
  'packages by expiry': '/v1/packages?sort=expiresOn',
};

type Api = { url: string; token: string; pid: number };

/** The address of the hundredth page, or of the last one if there are fewer. */
async function deepIn({ url, token }: Api, path: string): Promise<string> {
  let address = path;
  for (let page = 1; page < HUNDREDTH; page += 1) {
    const answer = await fetch(url + address, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${address}: ${await answer.text()}`);
    const { next } = (await answer.json()) as { next: string | null };
    if (next === null) return address;
    address = `${path}&cursor=${encodeURIComponent(next)}`;
  }
  return address;
}

interface Ratio {
  p50: number;
  p99: number;
}
type Ask = (get: string[], how: { warmUp: number; time: number }) => Promise<LoadResult>;

/** Times one row, measured just before it in each round; the median of the rounds. */
async function timesOneRow(ask: Ask, path: string, how: { warmUp: number; time: number }): Promise<Ratio> {
  const oneRow = Array.from({ length: Math.min(KNOWN, size.large) }, (_, k) => `/v1/packages/${idOf('package of 0', k)}`);
  const ratios: Ratio[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [one, other] = [await ask(oneRow, TIME), await ask([path], how)];
    ratios.push({ p50: other.p50 / one.p50, p99: other.p99 / one.p99 });
  }
  return { p50: median(ratios.map(({ p50 }) => p50)), p99: median(ratios.map(({ p99 }) => p99)) };
}

const rounded = ({ p50, p99 }: Ratio): Ratio => ({ p50: Number(p50.toFixed(2)), p99: Number(p99.toFixed(2)) });

async function pagesVsOneRow(api: Api, ask: Ask): Promise<Record<string, Ratio>> {
  const figures: Record<string, Ratio> = {};
  for (const [name, path] of Object.entries(LISTS)) {
    const first = `${path}&limit=${PAGE}`;
    for (const [page, address] of [
      ['first', first],
      ['hundredth', await deepIn(api, first)],
    ] as const) {
      const ratio = (figures[`${name}, ${page} page`] = rounded(await timesOneRow(ask, address, TIME)));
      console.log(`${`${name}, ${page} page`.padEnd(52)} p50 × ${ratio.p50}, p99 × ${ratio.p99}`);
    }
  }
  return figures;
}

/** A business with its rows, an API over them, and a load. */
async function setUp(stage: Stage): Promise<{ api: Api; ask: Ask }> {
  const { launch, postgres } = stage;
  const business = businessOf(0);
  const { stores } = await openEventStore(stage, postgres.url());
  const [created] = recorded([{ type: 'BusinessCreated', data: { ...clinic, businessId: business } }], { metadata: { business } });
  await storeFacts(stores.EVENTSTORE_URL!, [{ ...created!, stream: `business-${business}` }]);
  const started = performance.now();
  const filled = await fill(postgres.url(), rowsOf(size));
  const said = [...filled].map(([name, rows]) => `${name} ${rows}`).join(', ');
  console.log(`${said}: ${((performance.now() - started) / 1_000).toFixed(0)} s`);
  const { ready: url, pid } = await launch('API', 'apps/api/main.js', { ...stores, ...UNDER_LOAD });
  const token = await mintToken({ secret: SECRETS.JWT_SECRET, sub: 'owner', business, role: 'owner', expiresIn: 36_000 });
  const load = await launch('load', 'bench/load.js');
  const ask: Ask = (get, how) => load.ask<LoadResult>({ url, token, connections: 1, ...how, what: { get } } satisfies LoadJob);
  return { api: { url, token, pid }, ask };
}

await onStage('reports', async (stage) => {
  const { api, ask } = await setUp(stage);
  const pages = await pagesVsOneRow(api, ask);
  const months = rounded(await timesOneRow(ask, '/v1/reports/sales/totals?by=month', LONG));
  const { timeZone, currency } = clinic;
  const here = { business: businessOf(0), today: localDateOf(new Date().toISOString(), timeZone), timeZone, currency };
  const { csv_vs_copy, csv_rss_mb } = await fileVsCopy({ api, databaseUrl: stage.postgres.url(), here }, rounds);
  const file = { csv_vs_copy: Number(csv_vs_copy.toFixed(2)), csv_rss_mb };
  console.log(JSON.stringify({ pages_vs_one_row: pages, months_vs_one_row: months, ...file }));
});
