import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  DeleteReq,
  DeleteResp,
  ReadReq,
  TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { sendUnaryData, ServerDuplexStream, ServerReadableStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { answerAppend, answerDelete, answerTombstone, type AppendLimits } from './append-calls.js';
import { BatchAppendCall } from './batch-append-call.js';
import { checkCredentials, type Credentials } from './credentials.js';
import type { Feed } from './feed.js';
import { CallError, serverNotReady } from './grpc-errors.js';
import type { OpenCalls } from './open-calls.js';
import { Outgoing } from './outgoing.js';
import { answerRead } from './read-calls.js';
import type { Reads } from './reads.js';
import type { Writer } from './writer.js';

interface Parts {
  writer: Writer;
  reads: Reads;
  feed: Feed;
  limits: AppendLimits;
  credentials: Credentials | undefined;
  openCalls: OpenCalls;
  log: { error(details: unknown, message: string): void };
}

const encoded = (message: Buffer): Buffer => message;
const { StreamsService } = streamsGrpc;

/** The service of the client's own definition, but that its streamed answers are encoded by hand. */
export const streamsService = {
  ...StreamsService,
  read: { ...StreamsService.read, responseSerialize: encoded },
  batchAppend: { ...StreamsService.batchAppend, responseSerialize: encoded },
};

type Call = ServerUnaryCall<unknown, unknown> | ServerReadableStream<unknown, unknown>;

export const streamsImplementation = ({ writer, reads, feed, limits, credentials, openCalls, log }: Parts) => {
  const answering =
    <C extends Call, Response>(answer: (call: C, writer: Writer, limits: AppendLimits) => Promise<Response>) =>
    async (call: C, callback: sendUnaryData<Response>): Promise<void> => {
      try {
        openCalls.checkOpen();
        checkCredentials(call.metadata, credentials);
        callback(null, await openCalls.answer(answer(call, writer, limits)));
      } catch (error) {
        if (!(error instanceof CallError)) log.error(error, 'a call failed');
        callback(error instanceof CallError ? error : serverNotReady());
      }
    };
  /** What answers a call tells whether it is idle. */
  const streaming =
    <C extends ServerWritableStream<ReadReq, Buffer> | ServerDuplexStream<BatchAppendReq, Buffer>>(answer: (call: C) => () => boolean) =>
    (call: C): void => {
      try {
        openCalls.checkOpen();
        checkCredentials(call.metadata, credentials);
        openCalls.trackStreaming(call, answer(call));
      } catch (error) {
        call.emit('error', error);
      }
    };
  return {
    read: streaming((call: ServerWritableStream<ReadReq, Buffer>) => {
      const outgoing = new Outgoing(call);
      void answerRead(call.request, outgoing, { reads, feed, log });
      return () => outgoing.isIdle;
    }),
    batchAppend: streaming((call: ServerDuplexStream<BatchAppendReq, Buffer>) => {
      const { isIdle } = new BatchAppendCall(call, writer, limits);
      return isIdle;
    }),
    append: answering<ServerReadableStream<AppendReq, AppendResp>, AppendResp>(answerAppend),
    delete: answering<ServerUnaryCall<DeleteReq, DeleteResp>, DeleteResp>(answerDelete),
    tombstone: answering<ServerUnaryCall<TombstoneReq, TombstoneResp>, TombstoneResp>(answerTombstone),
  };
};
