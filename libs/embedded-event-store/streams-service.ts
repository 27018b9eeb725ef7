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
import type { Feed } from './feed.js';
import { CallError, serverNotReady } from './grpc-errors.js';
import { answerRead } from './read-calls.js';
import type { Reads } from './reads.js';
import type { Writer } from './writer.js';

interface Parts {
  writer: Writer;
  reads: Reads;
  feed: Feed;
  limits: AppendLimits;
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

export const streamsImplementation = ({ writer, reads, feed, limits, log }: Parts) => {
  const answered = <Response>(response: Promise<Response>, callback: sendUnaryData<Response>): void => {
    response.then(
      (value) => callback(null, value),
      (error: unknown) => {
        if (!(error instanceof CallError)) log.error(error, 'a call failed');
        callback(error instanceof CallError ? error : serverNotReady());
      },
    );
  };
  return {
    read: (call: ServerWritableStream<ReadReq, Buffer>): void => void answerRead(call, { reads, feed, log }),
    append: (call: ServerReadableStream<AppendReq, AppendResp>, callback: sendUnaryData<AppendResp>): void =>
      answered(answerAppend(call, writer, limits), callback),
    batchAppend: (call: ServerDuplexStream<BatchAppendReq, Buffer>): void => void new BatchAppendCall(call, writer, limits),
    delete: (call: ServerUnaryCall<DeleteReq, DeleteResp>, callback: sendUnaryData<DeleteResp>): void =>
      answered(answerDelete(call, writer, limits), callback),
    tombstone: (call: ServerUnaryCall<TombstoneReq, TombstoneResp>, callback: sendUnaryData<TombstoneResp>): void =>
      answered(answerTombstone(call, writer, limits), callback),
  };
};
