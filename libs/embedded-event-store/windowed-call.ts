import { ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** Bytes that may be on their way to the socket before a call holds back. */
const windowBytes = 256 * 1024;

/**
 * grpc-js hands one message of a call to the socket at a time, and waits for it to be written before the next: one
 * system call for each. This takes messages as long as few bytes are under way, so that many go out together.
 */
export class WindowedCall extends ServerInterceptingCall {
  private underWay = 0;
  private held: (() => void) | undefined;

  constructor(next: ServerInterceptingCallInterface) {
    super(next);
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (!Buffer.isBuffer(message)) {
      super.sendMessage(message, callback); // the one answer of a unary call
      return;
    }
    this.underWay += message.length;
    super.sendMessage(message, () => this.written(message.length));
    if (this.underWay <= windowBytes) callback();
    else this.held = callback;
  }

  private written(length: number): void {
    this.underWay -= length;
    const { held } = this;
    if (!held || this.underWay > windowBytes) return;
    this.held = undefined;
    held();
  }
}
