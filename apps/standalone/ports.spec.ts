import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { portChooser } from './ports.js';

describe('ports', () => {
  it('that are taken are replaced by free ones, and that is said', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const said: string[] = [];
    const chosen = await portChooser((message) => said.push(message))('the API', port);
    expect(chosen).not.toBe(port);
    expect(said).toEqual([`Port ${port} is taken: the API uses ${chosen}.`]);
    taken.close();
  });

  it('are none given twice, and any free one for 0', async () => {
    const said: string[] = [];
    const choose = portChooser((message) => said.push(message));
    const first = await choose('the API', 0);
    expect(said).toEqual([]);
    expect(await choose('Postgres', first)).not.toBe(first);
    expect(said).toHaveLength(1);
  });

  it('need an address of this machine', () => expect(portChooser(() => undefined)('the API', 0, '192.0.2.1')).rejects.toThrow('192.0.2.1'));
});
