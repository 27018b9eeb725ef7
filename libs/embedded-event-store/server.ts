import { randomUUID } from 'node:crypto';
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { generateCertificate } from './certificate.js';
import type { Credentials } from './credentials.js';
import { CallError, serverNotReady } from './grpc-errors.js';
import { Listener, type TlsKeyPair } from './listener.js';
import { clusterOfOne, supportedMethods } from './node-services.js';
import { OpenCalls } from './open-calls.js';
import { Reads } from './reads.js';
import { Store } from './store.js';
import { WindowedCall } from './windowed-call.js';
import { streamsService, streamsImplementation } from './streams-service.js';

export interface EventStoreLog {
  info(message: string): void;
  error(details: unknown, message: string): void;
}

export interface EventStoreOptions {
  /** A Postgres database; the store makes itself a schema `event_store` in it. */
  databaseUrl: string;
  host?: string;
  /** Name or address that clients are told to use, if it is not `host`. */
  advertisedHost?: string;
  /** 0 (the default): any free one */
  port?: number;
  /** PEM; `true` generates a self-signed pair for `host` and localhost. */
  tls?: TlsKeyPair | boolean;
  /** If given, every call needs one of them. */
  credentials?: Credentials;
  logger?: EventStoreLog;
  /** Bytes of one append: 1 MiB as in the real server. */
  maxAppendSize?: number;
  /** ms after which a write is answered as timed out. */
  writeTimeout?: number;
  /** ms to wait for another server of the same database to end. */
  lockTimeout?: number;
  maxConnections?: number;
  /** Calls in flight on one connection. */
  maxStreamsPerConnection?: number;
  /** ms that calls in flight are given when the server stops. */
  drainTimeout?: number;
}

export interface EventStoreServer {
  /** For the client: `esdb://127.0.0.1:PORT?tls=false` */
  url: string;
  port: number;
  /** PEM of the certificate it serves with, if it does. */
  certificate: string | undefined;
  /** Answers what has been begun, then closes. */
  stop(): Promise<void>;
}

const silent: EventStoreLog = { info: () => undefined, error: () => undefined };

const defaults = {
  host: '127.0.0.1',
  port: 0,
  logger: silent,
  maxAppendSize: 1024 * 1024,
  writeTimeout: 10_000,
  lockTimeout: 10_000,
  maxConnections: 10_000,
  maxStreamsPerConnection: 20_000,
  drainTimeout: 2_000,
};

const writerLimits = { batchWrites: 2_000, batchBytes: 8 * 1024 * 1024, queueBytes: 64 * 1024 * 1024 };
const readConnections = 4;
const keepAlive = 10_000; // ms
const receiveLimit = 16 * 1024 * 1024; // bytes of one message, as the real server

/**
 * Starts a server that answers as EventStoreDB 23.10 does, on a Postgres database.
 * @throws if Postgres does not answer, the port is taken, or another server serves the database
 */
export const startEventStore = async (options: EventStoreOptions): Promise<EventStoreServer> => {
  const settings = { ...defaults, ...options };
  const { host, logger } = settings;
  const advertisedHost = settings.advertisedHost ?? (host === '0.0.0.0' ? '127.0.0.1' : host);
  const tls =
    settings.tls === true ? generateCertificate([...new Set([advertisedHost, 'localhost', '127.0.0.1'])]) : settings.tls || undefined;
  const store = new Store({
    databaseUrl: settings.databaseUrl,
    hasAccounts: settings.credentials !== undefined,
    lockTimeout: settings.lockTimeout,
    readConnections,
    limits: writerLimits,
    log: logger,
  });
  await store.start();

  const grpc = new Server({
    'grpc.max_receive_message_length': receiveLimit,
    'grpc.max_send_message_length': -1,
    interceptors: [(_, call) => new WindowedCall(call)],
    'grpc.max_concurrent_streams': settings.maxStreamsPerConnection,
    // As the real server: a client that is gone without a word is noticed, and its subscriptions end.
    'grpc.keepalive_time_ms': keepAlive,
    'grpc.keepalive_timeout_ms': keepAlive,
  });
  const openCalls = new OpenCalls();
  grpc.addService(
    streamsService,
    streamsImplementation({
      writer: store.writer,
      reads: new Reads(store.pool, store.heads),
      feed: store.feed,
      limits: settings,
      credentials: settings.credentials,
      openCalls,
      log: logger,
    }),
  );
  let port = settings.port;
  const instanceId = randomUUID();
  grpc.addService(featuresGrpc.ServerFeaturesService, { getSupportedMethods: answerWith(supportedMethods) });
  grpc.addService(gossipGrpc.GossipService, { read: answerWith(() => clusterOfOne(instanceId, { host: advertisedHost, port })) });

  const connections = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = new Listener({
    ...settings,
    tls,
    onGrpc: (socket) => connections.injectConnection(socket),
    isReady: () => store.writer.isReady,
  });
  try {
    port = await listener.listen();
  } catch (error) {
    await store.stop();
    throw error;
  }

  const stop = async (): Promise<void> => {
    listener.close();
    openCalls.close();
    await store.writer.idle();
    openCalls.endAll();
    connections.drain(settings.drainTimeout);
    await shutDown(grpc, settings.drainTimeout);
    await store.stop();
  };
  let stopping: Promise<void> | undefined;
  return {
    url: `esdb://${advertisedHost}:${port}?tls=${tls !== undefined}`,
    port,
    certificate: tls?.cert.toString(),
    stop: () => (stopping ??= stop()),
  };
};

const answerWith =
  <Response>(make: () => Response) =>
  (_call: ServerUnaryCall<unknown, Response>, callback: sendUnaryData<Response>): void => {
    try {
      callback(null, make());
    } catch (error) {
      callback(error instanceof CallError ? error : serverNotReady());
    }
  };

/** Clients that do not let go are given up after a while. */
const shutDown = (grpc: Server, timeout: number): Promise<void> =>
  new Promise((resolve) => {
    const force = setTimeout(() => {
      grpc.forceShutdown();
      resolve();
    }, timeout);
    grpc.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
