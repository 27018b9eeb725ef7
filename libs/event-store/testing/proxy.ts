import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a client and the event store, and breaks off at the worst moments. */
export interface Proxy {
  url: string;
  /** From now on requests reach the server, but whatever it answers is held back; the connections break after `ms`. */
  loseAnswers(ms: number): void;
  /** Breaks all connections; the next ones are let through again. */
  cut(): void;
  /** While it is down, connections are refused. */
  setDown(down: boolean): void;
  /** Bytes that the server has answered so far. */
  answered(): number;
  stop(): Promise<void>;
}

/** @param target address of the event store, `esdb://127.0.0.1:2113?tls=false` */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target.replace('esdb:', 'http:'));
  const pairs = new Set<[Socket, Socket]>();
  let losing = false;
  let down = false;
  let answered = 0;
  const cut = (): void => {
    losing = false;
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  const server = createServer({ noDelay: true }, (incoming) => {
    if (down) return incoming.destroy();
    const outgoing = connect({ host: hostname, port: Number(port), noDelay: true });
    const pair: [Socket, Socket] = [incoming, outgoing];
    pairs.add(pair);
    incoming.on('data', (chunk) => outgoing.write(chunk));
    outgoing.on('data', (chunk) => {
      answered += chunk.length;
      if (!losing) incoming.write(chunk);
    });
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const either of pair) either.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `esdb://127.0.0.1:${(server.address() as AddressInfo).port}?tls=false`,
    loseAnswers: (ms) => {
      losing = true;
      setTimeout(cut, ms);
    },
    cut,
    setDown: (value) => {
      down = value;
      if (down) cut();
    },
    answered: () => answered,
    stop: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
