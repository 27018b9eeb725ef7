import type { ServerWritableStream } from '@grpc/grpc-js';
import type { CallError } from './grpc-errors.js';

/** Messages that may wait for a slow client before it counts as such. */
const waitingLimit = 2_000;
/** Bytes likewise. */
const waitingBytes = 4 * 1024 * 1024;

/**
 * The answering side of a streaming call. Writing never blocks; whoever writes much asks `drained` between pages,
 * so that what waits in memory for a slow client stays bounded.
 */
export class Outgoing {
  /** Nothing is being sent but what happens to be committed. */
  isIdle = false;
  private hasEnded = false;
  private bytesSinceDrain = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly onEnd: (() => void)[] = [];

  constructor(private readonly call: ServerWritableStream<unknown, Buffer>) {
    for (const event of ['cancelled', 'close', 'error'] as const) call.on(event, () => this.end());
    call.on('drain', () => {
      this.bytesSinceDrain = 0;
      this.release();
    });
  }

  /** The client has gone, the deadline has passed, or the call was ended here. */
  get ended(): boolean {
    return this.hasEnded;
  }

  get isFull(): boolean {
    return this.call.writableLength > waitingLimit || (this.call.writableNeedDrain && this.bytesSinceDrain > waitingBytes);
  }

  /** Calls back once, when the call has ended. */
  whenEnded(callback: () => void): void {
    if (this.hasEnded) callback();
    else this.onEnd.push(callback);
  }

  write(message: Buffer): void {
    if (this.hasEnded) return;
    if (this.call.write(message)) this.bytesSinceDrain = 0;
    else this.bytesSinceDrain += message.length;
  }

  /** Waits until everything written is on its way, or the call has ended. */
  async drained(): Promise<void> {
    if (this.call.writableNeedDrain && !this.hasEnded) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  finish(): void {
    if (this.hasEnded) return;
    this.call.end();
    this.end();
  }

  fail(error: CallError): void {
    if (this.hasEnded) return;
    this.call.emit('error', error);
    this.end();
  }

  private end(): void {
    this.hasEnded = true;
    for (const callback of this.onEnd.splice(0)) callback();
    this.release();
  }

  private release(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
