import type { EventStoreDBClient } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { CallOptions, Channel, ChannelOptions, ClientReadableStream, Metadata } from '@grpc/grpc-js';
import { type ReadAnswer, readAnswer } from './read-answers.js';

/** What is read, in order, or the last event alone. What follows `$all` does not end. */
export type Read =
  | { stream: string; from: bigint; count?: bigint } // from a revision on
  | { stream: string; from: 'last' }
  | { after: bigint | undefined } // a position of `$all`, which the server gives once more
  | { from: 'last' } // of `$all`
  | { after: bigint | undefined; follow: { prefixes: readonly string[] | undefined } };

type Streams = InstanceType<typeof streamsService.StreamsClient>;
type Answers = ClientReadableStream<ReadAnswer>;

/** What the client keeps for those who extend it: its connection, found and renewed as for its own calls, and the arguments of its settings. */
interface Extensible {
  GRPCStreamCreator(of: typeof streamsService.StreamsClient, name: string, call: (connection: Streams) => Answers): () => Promise<Answers>;
  callArguments(settings: object, options: CallOptions): [Metadata, CallOptions];
  getChannel(): Promise<Channel>;
}

const { path, requestSerialize } = streamsService.StreamsService.read;

/** A call over the client's connection whose answers are read here. Fails, before it begins or later, as gRPC does. */
export function openRead(client: EventStoreDBClient, read: Read): Promise<Answers> {
  const { GRPCStreamCreator, callArguments } = client as unknown as Extensible;
  const request = requestOf(read);
  const call = (connection: Streams): Answers =>
    connection.makeServerStreamRequest(path, requestSerialize, readAnswer, request, ...callArguments({}, { deadline: Infinity }));
  return GRPCStreamCreator(streamsService.StreamsClient, 'read', call)();
}

/** Bytes that the server may send ahead of what is read. HTTP/2 begins with 64 KiB: some forty events, which whoever reads many waits for again and again. */
const WINDOW = 1024 * 1024;

/** The client has no setting for it, and its connection looks at the options when it is made. */
export function readAhead(client: EventStoreDBClient): void {
  const extensible = client as unknown as Extensible;
  const { getChannel } = extensible;
  extensible.getChannel = async () => {
    const channel = await getChannel();
    const options = (channel as unknown as { internalChannel?: { options?: ChannelOptions } }).internalChannel?.options;
    if (options) options['grpc-node.flow_control_window'] = WINDOW; // else only slower
    return channel;
  };
}

const { ReadReq } = streams;
const { Options } = ReadReq;
const ALL_THERE_ARE = BigInt(Number.MAX_SAFE_INTEGER);
const NOT_OF_THE_SYSTEM = '^[^$].*'; // types of events

function requestOf(read: Read): streams.ReadReq {
  const options = new Options().setUuidOption(new Options.UUIDOption().setString(new shared.Empty()));
  if ('stream' in read) options.setStream(ofStream(read));
  else options.setAll(ofAll(read));
  if ('follow' in read) {
    options.setSubscription(new Options.SubscriptionOptions()).setFilter(filterOf(read.follow.prefixes));
  } else {
    const last = 'from' in read && read.from === 'last';
    const count = last ? 1n : ('count' in read && read.count) || ALL_THERE_ARE;
    const { FORWARDS, BACKWARDS } = Options.ReadDirection;
    options
      .setNoFilter(new shared.Empty())
      .setCount(count.toString())
      .setReadDirection(last ? BACKWARDS : FORWARDS);
  }
  return new ReadReq().setOptions(options);
}

function ofStream({ stream, from }: { stream: string; from: bigint | 'last' }) {
  const options = new Options.StreamOptions().setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)));
  return from === 'last' ? options.setEnd(new shared.Empty()) : options.setRevision(from.toString());
}

function ofAll(read: { after: bigint | undefined } | { from: 'last' }) {
  const options = new Options.AllOptions();
  if ('from' in read) return options.setEnd(new shared.Empty());
  if (read.after === undefined) return options.setStart(new shared.Empty());
  const position = read.after.toString();
  return options.setPosition(new Options.Position().setCommitPosition(position).setPreparePosition(position));
}

/** The server tells how far it has looked after each 32 × this many events that it has left out. */
const CHECKPOINTS = 1;

function filterOf(prefixes: readonly string[] | undefined) {
  const { Expression } = Options.FilterOptions;
  const filter = new Options.FilterOptions().setCount(new shared.Empty()).setCheckpointintervalmultiplier(CHECKPOINTS);
  return prefixes
    ? filter.setStreamIdentifier(new Expression().setPrefixList([...prefixes]))
    : filter.setEventType(new Expression().setRegex(NOT_OF_THE_SYSTEM));
}
