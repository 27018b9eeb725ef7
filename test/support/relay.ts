import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can be cut: from then on nobody gets there by it. */
export interface Relay {
  url: string;
  cut(): void;
}

export async function relayTo(target: string): Promise<Relay> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const server = createServer((caller) => {
    const called = connect(Number(port), hostname);
    for (const [end, other] of [[caller, called] as const, [called, caller] as const]) {
      open.add(end);
      end.pipe(other);
      end.on('error', () => other.destroy()).on('close', () => open.delete(end) && other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    cut: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
