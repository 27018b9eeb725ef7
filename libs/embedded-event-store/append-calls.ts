import shared from '@eventstore/db-client/generated/shared_pb.js';
import type {
  AppendReq,
  AppendResp,
  DeleteReq,
  DeleteResp,
  TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import { AppendSize, expectedVersionNumber, parseExpected, parseProposedEvent, parseStreamName } from './append-request.js';
import type { Write } from './batch.js';
import { invalidCall, operationTimedOut, serverNotReady, streamDeleted, wrongExpectedVersion } from './grpc-errors.js';
import type { ExpectedRevision, ProposedEvent } from './stored-event.js';
import type { Reply, Writer } from './writer.js';

export interface AppendLimits {
  maxAppendSize: number; // bytes
  writeTimeout: number; // ms
}

const writeOverhead = 512; // what a waiting write counts for besides its events

const write = (writer: Writer, toWrite: Write, bytes: number, deadline: number): Promise<Reply> =>
  new Promise((resolve) => writer.write(toWrite, deadline, bytes + writeOverhead, resolve));

/** The client's own deadline, if it is sooner than the server's. */
const deadlineOf = (call: { getDeadline(): Date | number }, { writeTimeout }: AppendLimits): number =>
  Math.min(Number(call.getDeadline()), Date.now() + writeTimeout);

/** Streams/Append. A conflict is an answer, not an error. */
export const answerAppend = async (
  call: ServerReadableStream<AppendReq, AppendResp>,
  writer: Writer,
  limits: AppendLimits,
): Promise<AppendResp> => {
  const { stream, expected, events, bytes } = await receiveAppend(call, limits);
  const reply = await write(writer, { kind: 'append', stream, expected, events }, bytes, deadlineOf(call, limits));
  switch (reply.kind) {
    case 'stored':
      return appended(reply.revision, reply.position);
    case 'wrongExpectedVersion':
      return new streams.AppendResp().setWrongExpectedVersion(conflict(expected, reply.current));
    case 'streamDeleted':
      throw streamDeleted(stream);
    default:
      throw failure(reply.kind);
  }
};

const receiveAppend = async (call: ServerReadableStream<AppendReq, AppendResp>, { maxAppendSize }: AppendLimits) => {
  let header: { stream: string; expected: ExpectedRevision } | undefined;
  const size = new AppendSize(maxAppendSize);
  const events: ProposedEvent[] = [];
  for await (const request of call as AsyncIterable<AppendReq>) {
    const options = request.getOptions();
    const message = request.getProposedMessage();
    if (!header) {
      if (!options) throw invalidCall('the first message must hold the options');
      header = {
        stream: parseStreamName(options.getStreamIdentifier()),
        expected: parseExpected(options, options.hasRevision() ? options.getRevision() : undefined),
      };
    } else {
      if (!message) throw invalidCall('every message after the first must propose an event');
      const event = parseProposedEvent(message);
      size.add(event);
      events.push(event);
    }
  }
  if (!header) throw invalidCall('the call was empty');
  return { ...header, events, bytes: size.bytes };
};

const appended = (revision: bigint, position: bigint | undefined): AppendResp => {
  const success = new streams.AppendResp.Success();
  if (revision < 0n) success.setNoStream(new shared.Empty());
  else success.setCurrentRevision(revision.toString());
  if (position === undefined) success.setNoPosition(new shared.Empty());
  else
    success.setPosition(new streams.AppendResp.Position().setCommitPosition(position.toString()).setPreparePosition(position.toString()));
  return new streams.AppendResp().setSuccess(success);
};

const conflict = (expected: ExpectedRevision, current: bigint): AppendResp.WrongExpectedVersion => {
  const answer = new streams.AppendResp.WrongExpectedVersion();
  if (expected === 'any') answer.setExpectedAny(new shared.Empty());
  else if (expected === 'streamExists') answer.setExpectedStreamExists(new shared.Empty());
  else if (expected === 'noStream') answer.setExpectedNoStream(new shared.Empty());
  else answer.setExpectedRevision(expected.toString());
  return current < 0n ? answer.setCurrentNoStream(new shared.Empty()) : answer.setCurrentRevision(current.toString());
};

const failure = (kind: 'timeout' | 'notReady') => (kind === 'timeout' ? operationTimedOut() : serverNotReady());

/** Streams/Delete: the stream ends here, and goes on with its next revision when it is written again. */
export const answerDelete = async (
  call: ServerUnaryCall<DeleteReq, DeleteResp>,
  writer: Writer,
  limits: AppendLimits,
): Promise<DeleteResp> => {
  const position = await remove('delete', call, call.request.getOptions(), writer, limits);
  return new streams.DeleteResp().setPosition(new streams.DeleteResp.Position().setCommitPosition(position).setPreparePosition(position));
};

/** Streams/Tombstone: the stream ends here for ever. */
export const answerTombstone = async (
  call: ServerUnaryCall<TombstoneReq, TombstoneResp>,
  writer: Writer,
  limits: AppendLimits,
): Promise<TombstoneResp> => {
  const position = await remove('tombstone', call, call.request.getOptions(), writer, limits);
  return new streams.TombstoneResp().setPosition(
    new streams.TombstoneResp.Position().setCommitPosition(position).setPreparePosition(position),
  );
};

const remove = async (
  kind: 'delete' | 'tombstone',
  call: { getDeadline(): Date | number },
  options: DeleteReq.Options | TombstoneReq.Options | undefined,
  writer: Writer,
  limits: AppendLimits,
): Promise<string> => {
  if (!options) throw invalidCall('options are missing');
  const stream = parseStreamName(options.getStreamIdentifier());
  const expected = parseExpected(options, options.hasRevision() ? options.getRevision() : undefined);
  const reply = await write(writer, { kind, stream, expected }, 0, deadlineOf(call, limits));
  switch (reply.kind) {
    case 'stored':
      return (reply.position ?? 0n).toString();
    case 'wrongExpectedVersion':
      throw wrongExpectedVersion('Delete', stream, expectedVersionNumber(expected), reply.current);
    case 'streamDeleted':
      throw streamDeleted(stream);
    default:
      throw failure(reply.kind);
  }
};
