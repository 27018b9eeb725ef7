import shared from '@eventstore/db-client/generated/shared_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { BatchAppendReq, BatchAppendResp, ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';

// What the embedded event store is measured against: the same protocol, made with the generated classes alone, that
// keeps events in memory and checks nothing. Appends under `any` and forward reads of one stream.

interface Kept {
  stream: string;
  revision: number;
  position: number;
  proposed: BatchAppendReq.ProposedMessage;
  created: string;
}

const byStream = new Map<string, Kept[]>();
let position = 0;

const nameOf = (identifier: { getStreamName_asU8(): Uint8Array } | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');

const keep = (stream: string, messages: BatchAppendReq.ProposedMessage[]): Kept => {
  const kept = byStream.get(stream) ?? [];
  byStream.set(stream, kept);
  const created = (BigInt(Date.now()) * 10_000n).toString();
  for (const proposed of messages) kept.push({ stream, revision: kept.length, position: (position += 1), proposed, created });
  return kept.at(-1)!;
};

const batchAppend = (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void => {
  call.on('data', (request: BatchAppendReq) => {
    const identifier = request.getOptions()!.getStreamIdentifier();
    const last = keep(nameOf(identifier), request.getProposedMessagesList());
    const at = new shared.AllStreamPosition();
    at.setCommitPosition(last.position.toString());
    at.setPreparePosition(last.position.toString());
    const success = new streams.BatchAppendResp.Success();
    success.setCurrentRevision(last.revision.toString());
    success.setPosition(at);
    const response = new streams.BatchAppendResp();
    response.setCorrelationId(request.getCorrelationId());
    response.setStreamIdentifier(identifier);
    response.setSuccess(success);
    call.write(response);
  });
  call.on('end', () => call.end());
};

const toResponse = ({ stream, revision, position: at, proposed, created }: Kept): ReadResp => {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream).toString('base64'));
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(proposed.getId());
  recorded.setStreamIdentifier(identifier);
  recorded.setStreamRevision(revision.toString());
  recorded.setCommitPosition(at.toString());
  recorded.setPreparePosition(at.toString());
  for (const key of ['type', 'content-type']) recorded.getMetadataMap().set(key, proposed.getMetadataMap().get(key)!);
  recorded.getMetadataMap().set('created', created);
  recorded.setData(proposed.getData_asU8());
  recorded.setCustomMetadata(proposed.getCustomMetadata_asU8());
  const event = new streams.ReadResp.ReadEvent();
  event.setEvent(recorded);
  event.setCommitPosition(at.toString());
  const response = new streams.ReadResp();
  response.setEvent(event);
  return response;
};

const read = (call: ServerWritableStream<ReadReq, ReadResp>): void => {
  const stream = nameOf(call.request.getOptions()?.getStream()?.getStreamIdentifier());
  for (const kept of byStream.get(stream) ?? []) call.write(toResponse(kept));
  call.end();
};

const getSupportedMethods = (_: ServerUnaryCall<unknown, SupportedMethods>, callback: sendUnaryData<SupportedMethods>): void => {
  const method = new features.SupportedMethod();
  method.setServiceName('event_store.client.streams.streams');
  method.setMethodName('batchappend');
  const supported = new features.SupportedMethods();
  supported.setEventStoreServerVersion('23.10.0');
  supported.addMethods(method);
  callback(null, supported);
};

const unavailable = (_: unknown, callback: sendUnaryData<never>): void => callback({ code: status.UNIMPLEMENTED });

const server = new Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 });
server.addService(streamsGrpc.StreamsService, { batchAppend, read, append: unavailable, delete: unavailable, tombstone: unavailable });
server.addService(featuresGrpc.ServerFeaturesService, { getSupportedMethods });
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.({ ready: `esdb://127.0.0.1:${port}?tls=false` });
});
process.once('disconnect', () => process.exit(0));
