import pg from 'pg';
import { mintToken } from '../libs/auth/tokens.js';
import type { Projection } from '../libs/projection-engine/define-projection.js';
import { clientLinks } from '../projections/client-links.projection.js';
import { clientList } from '../projections/client-list.projection.js';
import { directory } from '../projections/directory.projection.js';
import { offeringArrangement } from '../projections/offering-arrangement.projection.js';
import { offeringList } from '../projections/offering-list.projection.js';
import { packageList } from '../projections/package-list.projection.js';
import { foldAndWrite } from './fold-write.js';
import type { LoadResult } from './http-load.js';
import { listHistory, type Business } from './list-history.js';
import type { LoadJob } from './load.js';
import { median, type Measured } from './measured.js';
import { inRounds, table, type Subjects } from './rounds.js';
import { onStage, openEventStore, SECRETS, type Stage, UNDER_LOAD } from './stage.js';
import { storeFacts } from './store-facts.js';

// npm run bench:lists: pages of the lists of a large business against the read of one row; what and why is in bench/README.md. The last line
// is one JSON object.

const rounds = Number(process.env.ROUNDS ?? 5);
const CONNECTIONS = 4; // people who look at lists at the same moment
const TIME = { warmUp: 500, time: 3_000 }; // ms of each measurement
const WANTED = 3; // times the p99 of one row, at most
const ONE_ROW = 'one package';
const PAGES = 40; // of a list, that are asked for at random

const projections = [offeringList, offeringArrangement, packageList, clientLinks, clientList, directory] as unknown as Projection[];

/** The addresses of the first pages of a list, each with the cursor of the one before it. */
async function pagesOf(api: string, token: string, path: string): Promise<string[]> {
  const pages: string[] = [];
  for (let next: string | null = path; next !== null && pages.length < PAGES;) {
    pages.push(next);
    const answer = await fetch(`${api}${next}`, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${next}: ${await answer.text()}`);
    const { next: cursor } = (await answer.json()) as { next: string | null };
    next = cursor === null ? null : `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
  }
  return pages;
}

/** What people ask of the lists. */
async function askedOf(api: string, token: string, business: Business): Promise<Record<string, string[]>> {
  const { packageIds, clientIds, offeringIds, categoryIds, serviceIds, sharing, wealthy, today } = business;
  const pages = (path: string) => pagesOf(api, token, path);
  const few = (ids: string[]) => ids.slice(0, 500);
  const start = `${today}T15:00:00.000Z`;
  const bookable = (of: string[]) => few(of).map((id) => `/v1/packages/available?clientId=${id}&start=${start}`);
  const ofService = (path: string, n: number) => `${path}&serviceId=${serviceIds[n % serviceIds.length]}`;
  return {
    [ONE_ROW]: few(packageIds).map((id) => `/v1/packages/${id}`),
    'offerings, in order': await pages('/v1/offerings'),
    'offerings of a category': categoryIds.map((id) => `/v1/offerings?categoryId=${id}&status=active`),
    'offerings, by text': ['garden', 'package 19', 'sunday'].map((text) => `/v1/offerings?text=${encodeURIComponent(text)}`),
    'packages, newest first': await pages('/v1/packages?descending=true'),
    'packages that stand, newest first': await pages('/v1/packages?status=sold&descending=true'),
    'packages by expiry': await pages('/v1/packages?sort=expiresOn'),
    'packages by expiry, last first': await pages('/v1/packages?sort=expiresOn&descending=true'),
    'packages, by name': await pages('/v1/packages?sort=name'),
    'packages that end soon': await pages(`/v1/packages?status=sold&expiringBefore=${today}&sort=expiresOn&descending=true`),
    'packages with few left': await pages('/v1/packages?status=sold&remainingAtMost=1&descending=true'),
    'packages of an offering': few(offeringIds).map((id) => `/v1/packages?offeringId=${id}&descending=true`),
    'what a client can book from': bookable(clientIds.filter((_, n) => n % 5 > 1)),
    'the same, with two who share': bookable(sharing),
    'the same, of one service': bookable(sharing).map(ofService),
    'the same, of many packages': bookable(wealthy),
    'packages of a client': few(clientIds).map((id) => `/v1/packages?clientId=${id}&descending=true`),
  };
}

/** The median of the rounds' ratios: both sides of each were measured within seconds of each other. */
function ratioOf(results: Map<string, Measured[]>, name: string): number {
  return median(results.get(name)!.map(({ p99 }, round) => p99 / results.get(ONE_ROW)![round]!.p99));
}

function report(results: Map<string, Measured[]>): void {
  console.log(`\n${table(results)}\n`);
  const ratios = [...results.keys()].filter((name) => name !== ONE_ROW).map((name) => [name, ratioOf(results, name)] as const);
  for (const [name, ratio] of ratios)
    console.log(
      `${name.padEnd(34)}${ratio.toFixed(2).padStart(8)} × the p99 of one row${ratio > WANTED ? `, wanted: ${WANTED}, missed` : ''}`,
    );
  console.log(JSON.stringify(Object.fromEntries(ratios.map(([name, ratio]) => [name, Number(ratio.toFixed(2))]))));
}

async function measure(stage: Stage): Promise<void> {
  const { launch, postgres } = stage;
  const databaseUrl = postgres.url();
  const { stores } = await openEventStore(stage, databaseUrl);
  const { business, history } = listHistory();
  await storeFacts(stores.EVENTSTORE_URL!, history);
  console.log(`${history.length} events folded in ${(await foldAndWrite(databaseUrl, projections, history)).toFixed(1)} s`);
  const client = new pg.Client(databaseUrl);
  await client.connect();
  await client.query('VACUUM ANALYZE'); // as autovacuum does, minutes later
  await client.end();

  const api = await launch('API', 'apps/api/main.js', { ...stores, ...UNDER_LOAD });
  const load = await launch('load', 'bench/load.js');
  const token = await mintToken({
    secret: SECRETS.JWT_SECRET,
    sub: 'owner',
    business: business.businessId,
    role: 'owner',
    expiresIn: 36_000,
  });
  const asked = await askedOf(api.ready, token, business);
  const subjects: Subjects = Object.fromEntries(
    Object.entries(asked).map(([name, get]) => [
      name,
      () => load.ask<LoadResult>({ url: api.ready, token, connections: CONNECTIONS, ...TIME, what: { get } } satisfies LoadJob),
    ]),
  );
  for (const subject of Object.values(subjects)) await subject(); // none is measured cold
  report(await inRounds(subjects, rounds));
}

await onStage('lists', measure);
