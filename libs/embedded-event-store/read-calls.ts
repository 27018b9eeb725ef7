import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { Direction } from './event-log.js';
import { CheckpointCounter, type EventFilter } from './event-filter.js';
import type { Feed } from './feed.js';
import { CallError, failedRead, invalidCall, serverNotReady, streamDeleted } from './grpc-errors.js';
import type { Outgoing } from './outgoing.js';
import { compileFilter, parseReadRequest, type ReadRequest } from './read-request.js';
import { firstStreamPositionResponse, lastStreamPositionResponse, readEventResponse, streamNotFoundResponse } from './read-responses.js';
import { unresolved, type Reads } from './reads.js';
import { deletedStream, noStream, type StoredEvent } from './stored-event.js';
import { AllSubscription, StreamSubscription } from './subscription.js';

const endOfLog = 2n ** 64n - 1n; // as a position
const serverPage = 32n;

interface Sources {
  reads: Reads;
  feed: Feed;
  log: { error(details: unknown, message: string): void };
}

type StreamRequest = ReadRequest & { of: { stream: string } };

/** Streams/Read: reads and subscriptions, of a stream and of `$all`. */
export const answerRead = async (readReq: ReadReq, outgoing: Outgoing, sources: Sources): Promise<void> => {
  try {
    const request = parseReadRequest(readReq);
    if (request.count === undefined) await (await subscription(request, outgoing, sources)).run();
    else if (request.of.stream !== undefined) await answerStream(request as StreamRequest, request.count, outgoing, sources);
    else await answerAll(request, request.count, outgoing, sources);
    outgoing.finish();
  } catch (error) {
    if (error instanceof CallError) return outgoing.fail(error);
    if (!outgoing.ended) sources.log.error(error, 'a read failed');
    outgoing.fail(serverNotReady());
  }
};

const subscription = async (
  request: ReadRequest,
  outgoing: Outgoing,
  { reads, feed }: Sources,
): Promise<StreamSubscription | AllSubscription> => {
  const { of, filter, resolveLinks, uuidForm } = request;
  const options = { resolveLinks, uuidForm, outgoing, feed, reads };
  if (of.stream !== undefined)
    return new StreamSubscription(of.stream, of.from === 'end' ? undefined : of.from === 'start' ? noStream : of.from, options);
  if (typeof of.from === 'bigint' && !(await isReadableFrom(of.from, 'forwards', { reads, feed })))
    throw invalidCall(`${of.from} is not the position of an event`);
  const after = of.from === 'start' ? 0n : of.from === 'end' || of.from > feed.position ? feed.position : of.from;
  const checkpointed = filter && {
    matches: compileFilter(filter),
    checkpoints: new CheckpointCounter(filter.window, filter.checkpointMultiplier, after),
  };
  return new AllSubscription(after, checkpointed, options);
};

const answerStream = async (request: StreamRequest, count: bigint, outgoing: Outgoing, { reads }: Sources): Promise<void> => {
  const { of, direction, compatibility } = request;
  if (count === 0n || (of.from === 'end' && direction === 'forwards')) throw failedRead('Stream');
  const view = await reads.view(of.stream);
  if (view.kind === 'deleted') throw streamDeleted(of.stream);
  if (view.kind === 'notFound') return outgoing.write(streamNotFoundResponse(of.stream));
  const from = of.from === 'start' ? 0n : of.from === 'end' ? view.last : of.from;
  const first = direction === 'forwards' && compatibility >= 1 ? firstPosition(view, from, count) : undefined;
  if (first !== undefined) outgoing.write(firstStreamPositionResponse(first));
  await send(reads.stream(of.stream, view, from, direction, count), undefined, request, outgoing, reads);
  if (compatibility >= 1) outgoing.write(lastStreamPositionResponse(view.last));
};

/** Positions are offsets of events: one that is none is refused, but for reading on beyond the end. */
const isReadableFrom = async (position: bigint, direction: Direction, { reads, feed }: Pick<Sources, 'reads' | 'feed'>): Promise<boolean> =>
  position === 0n || position === endOfLog || (position > feed.position ? direction === 'forwards' : reads.hasEventAt(position));

const answerAll = async (request: ReadRequest, count: bigint, outgoing: Outgoing, { reads, feed }: Sources): Promise<void> => {
  const { of, direction, filter } = request;
  if (of.from === (direction === 'forwards' ? 'end' : 'start') || count === 0n) return;
  if (typeof of.from === 'bigint' && !(await isReadableFrom(of.from, direction, { reads, feed }))) throw failedRead('All');
  const from = of.from === 'start' ? 0n : of.from === 'end' || of.from > deletedStream ? deletedStream : of.from;
  const considered = filter ? deletedStream : count;
  await send(reads.all(from, direction, considered), filter && { matches: compileFilter(filter), count }, request, outgoing, reads);
};

/** The real server tells it only if its first page, of at most 32 events, turns out empty. */
const firstPosition = ({ first, last }: { first: bigint; last: bigint }, from: bigint, count: bigint): bigint | undefined => {
  const pageEnd = from + (count < serverPage ? count : serverPage) - 1n;
  if (pageEnd < first) return first;
  return (from > first ? from : first) > last && from !== last + 1n ? last + 1n : undefined;
};

/** Sends pages at the client's pace; gives how many events were sent. */
const send = async (
  pages: AsyncGenerator<StoredEvent[]>,
  filter: { matches: EventFilter; count: bigint } | undefined,
  { resolveLinks, uuidForm }: ReadRequest,
  outgoing: Outgoing,
  reads: Reads,
): Promise<bigint> => {
  let sent = 0n;
  for await (const page of pages) {
    for (const event of page) {
      if (filter && !filter.matches(event)) continue;
      outgoing.write(readEventResponse(resolveLinks ? await reads.resolve(event) : unresolved(event), uuidForm));
      sent += 1n;
      if (sent === filter?.count) return sent;
    }
    await outgoing.drained();
    if (outgoing.ended) break;
  }
  return sent;
};
