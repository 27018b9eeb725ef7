import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent, NO_STREAM, type JSONEventType, type JSONRecordedEvent } from '@eventstore/db-client';
import { decodeBase64Natively } from '../libs/event-store/native-base64.js';
import { answerJobs } from './jobs.js';
import { measuredFrom, type Measured } from './measured.js';

// Appends and nothing else, a process of its own: what the commands' appends are measured against. The same server, and the same client,
// quickened as libs/event-store does it. The events are as large as a booking's (they are a booking's, but for their ids), and they go
// where a booking's go: one in three to one of many streams that are there, at the revision that it has, two to streams that are new.

export interface AppendJob {
  samples: string[]; // the streams of one booking: the last event of each is what is appended
  streams: number; // that are there, as many as there are packages
  inFlight: number;
  warmUp: number; // ms
  time: number; // ms
}

interface Sample {
  type: string;
  data: JSONEventType['data'];
  metadata: Uint8Array; // as libs/event-store gives it
}

decodeBase64Natively();
const client = EventStoreDBClient.connectionString(process.env.EVENTSTORE_URL!);
const revisions = new Map<string, bigint>(); // of the streams that are there
let samples: Sample[] | undefined;

async function sampleOf(stream: string): Promise<Sample> {
  for await (const { event } of client.readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 })) {
    const { type, data, metadata } = event as JSONRecordedEvent;
    return { type, data, metadata: new TextEncoder().encode(JSON.stringify(metadata)) };
  }
  throw new Error(`${stream} is empty`);
}

const append = async (stream: string, { type, data, metadata }: Sample, known: boolean): Promise<void> => {
  const expectedRevision = (known ? revisions.get(stream) : undefined) ?? NO_STREAM;
  const event = jsonEvent({ id: randomUUID(), type, data, metadata });
  const { nextExpectedRevision } = await client.appendToStream(stream, event, { expectedRevision });
  if (known) revisions.set(stream, nextExpectedRevision);
};

const appendFor = async ({ samples: names, streams, inFlight, warmUp, time }: AppendJob): Promise<Measured> => {
  const [first, ...others] = (samples ??= await Promise.all(names.map(sampleOf)));
  const from = performance.now() + warmUp;
  const to = from + time;
  const times: number[] = [];
  const worker = async (number: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const sample = n % names.length === 0 ? first! : others[(n % names.length) - 1]!;
      const own = number + inFlight * Math.floor((Math.random() * streams) / inFlight); // no two workers on one stream: no conflicts
      const started = performance.now();
      if (started >= to) return;
      await append(sample === first ? `plainPackage-${own}` : `plain-${randomUUID()}`, sample, sample === first);
      const ended = performance.now();
      if (started >= from && ended <= to) times.push(ended - started);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, number) => worker(number)));
  return measuredFrom(times, time);
};

answerJobs(appendFor);
