import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/**
 * Ports that nothing listens on, none given twice. A wanted port that is taken (or needs rights that we lack) is replaced by a free one,
 * which `say` is told. 0 asks for any.
 */
export function portChooser(say: (message: string) => void) {
  const given = new Set<number>();
  return async (what: string, wanted: number, host = '127.0.0.1'): Promise<number> => {
    const port = given.has(wanted) ? undefined : await portOpen(host, wanted);
    let chosen = port;
    while (chosen === undefined || given.has(chosen)) chosen = await portOpen(host, 0);
    given.add(chosen);
    if (wanted !== 0 && chosen !== wanted) say(`Port ${wanted} is taken: ${what} uses ${chosen}.`);
    return chosen;
  };
}

/** The port, if it can be listened on now; undefined if not. */
async function portOpen(host: string, port: number): Promise<number | undefined> {
  const probe = createServer().listen({ host, port, exclusive: true });
  try {
    await once(probe, 'listening');
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new Error(`${host} is not an address to listen on: ${(error as Error).message}`, { cause: error });
  }
  const address = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return address.port;
}
