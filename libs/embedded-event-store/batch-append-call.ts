import type { BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { AppendSize, parseExpected, parseProposedEvent, parseStreamName, parseUuid } from './append-request.js';
import type { AppendLimits } from './append-calls.js';
import {
  batchAppended,
  batchBadRequest,
  batchNotReady,
  batchStreamDeleted,
  batchTimeout,
  batchTooLarge,
  batchWrongExpectedVersion,
  type Correlation,
} from './batch-append-responses.js';
import { CallError } from './grpc-errors.js';
import type { ExpectedRevision, ProposedEvent } from './stored-event.js';
import type { Reply, Writer } from './writer.js';

/** An append that comes in several messages, until the final one. */
interface PartialAppend {
  correlation: Correlation;
  expected: ExpectedRevision;
  deadline: number; // ms since 1970
  events: ProposedEvent[];
  size: AppendSize;
  overdue: NodeJS.Timeout | undefined; // while more of it is to come
}

const partialLimit = 1_000; // appends begun and not finished, per call
const writeOverhead = 512;

/**
 * Streams/BatchAppend: one call carries the appends of a client for as long as it lives, each answered by itself under
 * its correlation id, in the order in which they are stored.
 */
export class BatchAppendCall {
  private readonly partial = new Map<string, PartialAppend>();
  private waiting = 0;
  private clientIsDone = false;
  private ended = false;

  constructor(
    private readonly call: ServerDuplexStream<BatchAppendReq, Buffer>,
    private readonly writer: Writer,
    private readonly limits: AppendLimits,
  ) {
    call.on('data', (request: BatchAppendReq) => this.receive(request));
    call.on('end', () => {
      this.clientIsDone = true;
      this.endWhenAnswered();
    });
    for (const event of ['cancelled', 'close', 'error'] as const) call.on(event, () => this.abandon());
  }

  /** Every append is answered. */
  readonly isIdle = (): boolean => this.waiting === 0;

  private receive(request: BatchAppendReq): void {
    const given = request.getCorrelationId();
    let correlation: Correlation = { id: '', form: given?.hasStructured() ? 'structured' : 'string', stream: '' };
    try {
      correlation = { ...correlation, id: parseUuid(given) };
      const append = this.begin(request, correlation) ?? this.partial.get(correlation.id);
      if (!append) return; // refused before: the rest of it is of no interest
      correlation = append.correlation;
      for (const message of request.getProposedMessagesList()) {
        const event = parseProposedEvent(message);
        append.size.add(event);
        append.events.push(event);
      }
      if (request.getIsFinal()) this.submit(append);
    } catch (error) {
      this.forget(correlation.id);
      if (!(error instanceof CallError)) throw error;
      const isTooLarge = error.metadata.get('exception')[0] === 'maximum-append-size-exceeded';
      this.send(isTooLarge ? batchTooLarge(correlation, this.limits.maxAppendSize) : batchBadRequest(correlation, error.details));
    }
  }

  private begin(request: BatchAppendReq, unnamed: Correlation): PartialAppend | undefined {
    const options = request.getOptions();
    if (!options) return undefined;
    const correlation = { ...unnamed, stream: parseStreamName(options.getStreamIdentifier()) };
    const append: PartialAppend = {
      correlation,
      expected: parseExpected(options, options.hasStreamPosition() ? options.getStreamPosition() : undefined),
      deadline: Math.min(deadlineOf(options), Date.now() + this.limits.writeTimeout),
      events: [],
      size: new AppendSize(this.limits.maxAppendSize),
      overdue: undefined,
    };
    if (!request.getIsFinal()) {
      this.partial.set(correlation.id, append);
      append.overdue = setTimeout(() => this.timeOut(append), Math.max(0, append.deadline - Date.now()));
      // The one begun first gives way: its client has long given it up, or sends more at once than is allowed.
      if (this.partial.size > partialLimit) this.timeOut(this.partial.values().next().value!);
    }
    return append;
  }

  private forget(id: string): void {
    clearTimeout(this.partial.get(id)?.overdue);
    this.partial.delete(id);
  }

  private timeOut(append: PartialAppend): void {
    this.forget(append.correlation.id);
    this.send(batchTimeout(append.correlation));
  }

  private submit(append: PartialAppend): void {
    const { correlation, expected, deadline, events, size } = append;
    if (deadline <= Date.now()) return this.timeOut(append);
    this.forget(correlation.id);
    this.waiting += 1;
    const write = { kind: 'append', stream: correlation.stream, expected, events } as const;
    this.writer.write(write, deadline, size.bytes + writeOverhead, (reply) => {
      this.waiting -= 1;
      this.send(answer(correlation, expected, reply));
      this.endWhenAnswered();
    });
    if (this.writer.isFull) {
      this.call.pause();
      this.writer.whenNotFull(() => this.call.resume());
    } else if (this.call.writableNeedDrain) {
      this.call.pause(); // a client that does not take its answers
      this.call.once('drain', () => this.call.resume());
    }
  }

  private send(message: Buffer): void {
    if (!this.ended) this.call.write(message);
  }

  private abandon(): void {
    this.ended = true;
    for (const id of [...this.partial.keys()]) this.forget(id);
  }

  private endWhenAnswered(): void {
    if (this.clientIsDone && this.waiting === 0 && !this.ended) this.call.end();
  }
}

const answer = (correlation: Correlation, expected: ExpectedRevision, reply: Reply): Buffer => {
  switch (reply.kind) {
    case 'stored':
      return batchAppended(correlation, reply.revision, reply.position);
    case 'wrongExpectedVersion':
      return batchWrongExpectedVersion(correlation, expected, reply.current);
    case 'streamDeleted':
      return batchStreamDeleted(correlation);
    case 'timeout':
      return batchTimeout(correlation);
    case 'notReady':
      return batchNotReady(correlation);
    default:
      return reply satisfies never;
  }
};

/** ms since 1970 */
const deadlineOf = (options: BatchAppendReq.Options): number => options.getDeadline()?.toDate().getTime() ?? Number.POSITIVE_INFINITY;
