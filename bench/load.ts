import { randomUUID } from 'node:crypto';
import { load } from './http-load.js';
import { answerJobs } from './jobs.js';

// The load generator, a process of its own: the same for both sides of every ratio over HTTP.

export interface Bookable {
  packageId: string;
  clientId: string;
  serviceId: string;
  providerId: string;
}

export interface LoadJob {
  url: string;
  token: string;
  connections: number;
  warmUp: number; // ms
  time: number; // ms
  what: { book: Bookable[] } | { get: string[] }; // at random: from these packages, or these paths
}

const STARTS = 500;
const HOUR_MS = 3_600_000;

/** Requests are put together from texts made before; only the Idempotency-Key is new each time. */
const bookingsOf = (bookable: Bookable[], host: string, token: string): (() => string) => {
  const firstStart = Math.ceil(Date.now() / HOUR_MS + 24) * HOUR_MS;
  const starts = Array.from({ length: STARTS }, (_, n) => new Date(firstStart + n * HOUR_MS).toISOString());
  const bodies = bookable.map((ids, n) => JSON.stringify({ ...ids, start: starts[n % STARTS] }));
  const head = `POST /v1/appointments HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nIdempotency-Key: `;
  const texts = bodies.map((body) => `\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  return () => head + randomUUID() + oneOf(texts);
};

const readsOf = (paths: string[], host: string, token: string): (() => string) => {
  const texts = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  return () => oneOf(texts);
};

const oneOf = (texts: readonly string[]): string => texts[Math.floor(Math.random() * texts.length)]!;

answerJobs(({ what, token, ...job }: LoadJob) => {
  const { host } = new URL(job.url);
  return load({ ...job, next: 'book' in what ? bookingsOf(what.book, host, token) : readsOf(what.get, host, token) });
});
