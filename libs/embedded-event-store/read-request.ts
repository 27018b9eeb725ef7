import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import pb from '@eventstore/db-client/generated/streams_pb.js';
import type { Direction } from './event-log.js';
import { eventFilter, type FilterExpression } from './event-filter.js';
import { invalidArgument, invalidCall } from './grpc-errors.js';
import type { UuidForm } from './proto-writer.js';

export type From<T> = T | 'start' | 'end';

/** `ReadReq` of streams.proto as the server uses it. */
export interface ReadRequest {
  of: { stream: string; from: From<bigint> } | { stream?: undefined; from: From<bigint> };
  direction: Direction;
  /** undefined: a subscription */
  count: bigint | undefined;
  resolveLinks: boolean;
  filter: { expression: FilterExpression; window: number | undefined; checkpointMultiplier: number } | undefined;
  uuidForm: UuidForm;
  /** 1 and above: tell the first or last position of the stream besides its events. */
  compatibility: number;
}

/** @throws CallError where the real server refuses, with its status */
export const parseReadRequest = (request: ReadReq): ReadRequest => {
  const options = request.getOptions();
  if (!options) throw invalidCall('options are missing');
  const parsed: ReadRequest = {
    of: parseOf(options),
    direction: options.getReadDirection() === pb.ReadReq.Options.ReadDirection.BACKWARDS ? 'backwards' : 'forwards',
    count: options.hasSubscription() ? undefined : BigInt(options.getCount()),
    resolveLinks: options.getResolveLinks(),
    filter: parseFilter(options),
    uuidForm: options.getUuidOption()?.hasString() ? 'string' : 'structured',
    compatibility: options.getControlOption()?.getCompatibility() ?? 0,
  };
  const isSubscription = options.hasSubscription();
  if (isSubscription === options.hasCount()) throw invalidCombination('count or subscription');
  if (isSubscription && parsed.direction === 'backwards') throw invalidCombination('a subscription backwards');
  if (parsed.of.stream !== undefined && parsed.filter) throw invalidCombination('a filter on a stream');
  if (!parsed.filter && !options.hasNoFilter()) throw invalidCombination('neither filter nor no_filter');
  return parsed;
};

const invalidCombination = (what: string) => invalidArgument(`The combination of ${what} is invalid.`);

const parseOf = (options: ReadReq.Options): ReadRequest['of'] => {
  const ofStream = options.getStream();
  if (ofStream) {
    const stream = Buffer.from(ofStream.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8');
    if (stream === '') throw invalidCall('the stream has no name');
    if (ofStream.hasStart()) return { stream, from: 'start' };
    if (ofStream.hasEnd()) return { stream, from: 'end' };
    if (ofStream.hasRevision()) return { stream, from: BigInt(ofStream.getRevision()) };
    throw invalidCall('the revision to read from is missing');
  }
  const ofAll = options.getAll();
  if (ofAll?.hasStart()) return { from: 'start' };
  if (ofAll?.hasEnd()) return { from: 'end' };
  const position = ofAll?.getPosition();
  if (!position) throw invalidArgument('neither a stream nor a position of $all');
  const commit = BigInt(position.getCommitPosition());
  if (commit < BigInt(position.getPreparePosition())) throw invalidCall('The commit position cannot be less than the prepare position');
  return { from: commit };
};

const parseFilter = (options: ReadReq.Options): ReadRequest['filter'] => {
  const filter = options.getFilter();
  if (!filter) return undefined;
  const expression = filter.getStreamIdentifier() ?? filter.getEventType();
  if (!expression) throw invalidArgument('the filter has no expression');
  if (!filter.hasMax() && !filter.hasCount()) throw invalidArgument('the filter has no window');
  return {
    expression: {
      on: filter.hasStreamIdentifier() ? 'stream' : 'type',
      regex: expression.getRegex(),
      prefixes: expression.getPrefixList(),
    },
    window: filter.hasMax() ? filter.getMax() : undefined,
    checkpointMultiplier: filter.getCheckpointintervalmultiplier(),
  };
};

export const compileFilter = ({ expression }: NonNullable<ReadRequest['filter']>) => eventFilter(expression);
