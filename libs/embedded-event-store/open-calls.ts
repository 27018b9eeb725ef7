import { status } from '@grpc/grpc-js';
import { CallError, serverNotReady } from './grpc-errors.js';

interface StreamingCall {
  once(event: 'close' | 'cancelled', listener: () => void): unknown;
  emit(event: 'error', error: CallError): unknown;
  pause?(): unknown;
}

/** Calls in flight, so that a server that stops can end them with the statuses that the real one ends them with. */
export class OpenCalls {
  private readonly streaming = new Map<StreamingCall, () => boolean>();
  private closing = false;
  private readonly unary = new Set<(error: CallError) => void>();

  /** Subscriptions, reads and batch appends: CANCELLED. */
  trackStreaming(call: StreamingCall, isIdle: () => boolean): void {
    this.streaming.set(call, isIdle);
    for (const event of ['close', 'cancelled'] as const) call.once(event, () => this.streaming.delete(call));
  }

  /** Takes nothing new; what has been begun goes on. */
  close(): void {
    this.closing = true;
    for (const call of this.streaming.keys()) call.pause?.();
  }

  /** @throws CallError UNAVAILABLE once closed */
  checkOpen(): void {
    if (this.closing) throw serverNotReady();
  }

  /** Gives the outcome of the answer, or an error once the server stops. */
  async answer<Response>(answer: Promise<Response>): Promise<Response> {
    let abort: (error: CallError) => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => (abort = reject));
    this.unary.add(abort);
    try {
      return await Promise.race([answer, aborted]);
    } finally {
      this.unary.delete(abort);
    }
  }

  /** A client that is still taking in what it was sent is left to it; its connection ends with UNAVAILABLE. */
  endAll(): void {
    for (const [call, isIdle] of this.streaming)
      if (isIdle()) call.emit('error', new CallError(status.CANCELLED, 'The server is shutting down.'));
    for (const abort of this.unary) abort(serverNotReady());
  }
}
