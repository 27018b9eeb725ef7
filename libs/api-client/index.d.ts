import type { Operations, Schemas } from './schema.js';

export type { Operations, Schemas };

export interface ClientOptions {
  /** Where the API is, without `/v1`: `https://punchcard.example`. */
  baseUrl: string;
  /** The caller's token, or what gives one that is still good. */
  token: string | (() => string | Promise<string>);
  fetch?: typeof globalThis.fetch;
}

/** What can be said with every call. */
export interface Beside {
  /** L2: with the same key and body it has one effect, however often it is sent. */
  idempotencyKey?: string;
  /** L4: the `etag` that was seen: 412 if the thing has changed since. */
  ifMatch?: string;
  /** L3: a query waits until its answer is at least as fresh as this `position`. */
  minPosition?: string;
  correlationId?: string;
  /** Of a body that is not JSON. */
  contentType?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export type Said<Name extends keyof Operations> = Operations[Name]['takes'] & Beside;

export interface Answer<Data> {
  data: Data;
  status: number;
  headers: Headers;
  etag: string | undefined;
  /** In the event store: for `minPosition`. */
  position: string | undefined;
}

export type Event = Schemas['EventPage']['items'][number];

export interface Client {
  /**
   * One operation of the API, by its `operationId`.
   * @throws ApiProblem when it is refused
   */
  call<Name extends keyof Operations>(
    operation: Name,
    ...said: object extends Said<Name> ? [said?: Said<Name>] : [said: Said<Name>]
  ): Promise<Answer<Operations[Name]['gives']>>;

  /**
   * L6: every event of the business after a position, each once and in order, for as long as it is read: it comes back by itself.
   * @throws ApiProblem when it may not
   */
  follow(what?: { after?: string; types?: readonly string[]; signal?: AbortSignal }): AsyncGenerator<Event, void>;
}

export function createClient(options: ClientOptions): Client;

/** A call that was refused, as the API says it (RFC 9457). */
export class ApiProblem extends Error {
  readonly problem: Schemas['Problem'];
  readonly status: number;
  /** Stable: what programs look at. */
  readonly code: string;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  /** L3: in the event store, how far it had looked: a query with this `minPosition` shows why. */
  readonly position: string | undefined;
}
