import { connect, type Socket } from 'node:net';
import { measuredFrom, type Measured } from './measured.js';

/** One request after another on each of so many connections that stay open. */
export interface Load {
  url: string;
  connections: number;
  warmUp: number; // ms before `time`, not measured
  time: number; // ms
  next: () => string; // the next request, head and body
}

/** `answered`: all of them, in the warm-up and after the end too. */
export type LoadResult = Measured & { answered: number };

/**
 * A client that does no more than it must, so that two cores are left to what is measured: sends text, looks for the end of the answer.
 * Answers have a Content-Length.
 * @throws Error with the first answer that is not 2xx
 */
export async function load({ url, connections, warmUp, time, next }: Load): Promise<LoadResult> {
  const { hostname, port } = new URL(url);
  const from = performance.now() + warmUp;
  const to = from + time;
  const times: number[] = [];
  let answered = 0;

  const keepAsking = (socket: Socket): Promise<void> =>
    new Promise((resolve, reject) => {
      let sentAt = 0;
      let received: Buffer = Buffer.alloc(0);
      const ask = (): void => {
        sentAt = performance.now();
        if (sentAt >= to) return resolve();
        socket.write(next());
      };
      socket.on('data', (chunk) => {
        received = received.length > 0 ? Buffer.concat([received, chunk]) : chunk;
        const answer = wholeAnswer(received);
        if (answer === undefined) return;
        received = Buffer.alloc(0);
        if (answer.status < 200 || answer.status > 299) return reject(new Error(`${url} answered ${answer.status}: ${answer.body()}`));
        answered += 1;
        const at = performance.now();
        if (sentAt >= from && at <= to) times.push(at - sentAt);
        ask();
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`${url} hung up`)));
      ask();
    });

  const sockets = await Promise.all(Array.from({ length: connections }, () => connected(hostname, Number(port))));
  try {
    await Promise.all(sockets.map(keepAsking));
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  return { ...measuredFrom(times, time), answered };
}

const connected = (host: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('connect', () => resolve(socket.off('error', reject)));
    socket.once('error', reject);
  });

/** Undefined: it has not all arrived. */
function wholeAnswer(received: Buffer): { status: number; body: () => string } | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = received.toString('latin1', 0, end);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
  if (Number.isNaN(length)) throw new Error(`An answer without Content-Length: ${head}`);
  if (received.length < end + 4 + length) return undefined;
  return { status: Number(head.slice(9, 12)), body: () => received.toString('utf8', end + 4) };
}
