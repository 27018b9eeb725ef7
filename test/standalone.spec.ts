import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deletePostgres } from '../libs/embedded-postgres/embedded-postgres.js';
import { startOf } from '../libs/embedded-postgres/owner.js';

// `npm start` as it is run, on the compiled programs (`npm test` compiles them first), without the demo and on free ports.

const program = fileURLToPath(new URL('../dist/apps/standalone/main.js', import.meta.url));
const projector = fileURLToPath(new URL('../dist/apps/standalone/projector.js', import.meta.url));
const freePorts = ['--port', '0', '--event-store-port', '0', '--postgres-port', '0', '--stripe-port', '0'];

let data: string;
let running: ChildProcess[];
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'standalone-spec-'));
  await chmod(data, 0o711);
  running = [];
});
afterEach(async () => {
  for (const child of running) if (child.exitCode === null && child.signalCode === null) await stopped(child, 'SIGTERM');
  await deletePostgres(join(data, 'postgres'));
  await rm(data, { recursive: true });
});

interface Started {
  child: ChildProcess;
  said: () => string;
  api: string;
}

const launch = (...flags: string[]): { child: ChildProcess; said: () => string } => {
  const child = spawn(process.execPath, [program, '--data', data, '--no-demo', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { child, said: () => said };
};

const start = async (...flags: string[]): Promise<Started> => {
  const { child, said } = launch(...freePorts, ...flags);
  while (!said().includes('/docs')) {
    if (child.exitCode !== null) throw new Error(said());
    await sleep(20);
  }
  return { child, said, api: /API\s+(http:\S+)\/v1/.exec(said())![1]! };
};

const stopped = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> => {
  const exited = once(child, 'exit');
  child.kill(signal);
  return ((await exited) as [number | null])[0];
};

const parts = async (): Promise<{ name: string; pid: number; start: string }[]> =>
  JSON.parse(await readFile(join(data, 'children.json'), 'utf8')) as { name: string; pid: number; start: string }[];

const isReady = async (api: string): Promise<boolean> => (await fetch(`${api}/health/ready`)).ok;

describe('npm start', () => {
  it('serves, refuses a second start on its data, and stops every process on SIGTERM', async () => {
    const { child, api, said } = await start();
    expect(await isReady(api)).toBe(true);
    const second = launch();
    await once(second.child, 'exit');
    expect(second.said()).toContain(`already runs on ${data} (process ${child.pid})`);
    const { stdout: status } = await promisify(execFile)(process.execPath, [projector, 'status'], {
      env: { ...process.env, PUNCHCARD_DATA: data },
    });
    expect(status).toMatch(/^package_list .*running$/m);

    const dashboard = await fetch(/Stripe\s+(http:\S+)/.exec(said())![1]!);
    expect(await dashboard.text()).toContain('Simulated: no card is charged, no money moves');
    const before = await parts();
    expect(before.map(({ name }) => name).sort()).toEqual(['API', 'event store', 'projector', 'simulated Stripe']);
    expect(await stopped(child, 'SIGTERM')).toBe(0);
    for (const { pid } of before) expect(await startOf(pid)).toBeUndefined();
  });

  it('goes on with its data and secrets after a stop', async () => {
    await stopped((await start()).child, 'SIGINT');
    const secrets = await readFile(join(data, 'secrets.json'), 'utf8');
    const { said } = await start('--no-stripe');
    expect(said()).not.toContain('Making a new');
    expect(said()).not.toContain('Stripe');
    expect((await parts()).map(({ name }) => name)).not.toContain('simulated Stripe');
    expect(await readFile(join(data, 'secrets.json'), 'utf8')).toBe(secrets);
  });

  it('leaves nothing behind after a kill -9, over which it starts again', async () => {
    const { child } = await start();
    const before = await parts();
    await stopped(child, 'SIGKILL');
    const { api } = await start();
    for (const { pid } of before) expect(await startOf(pid)).toBeUndefined();
    expect(await isReady(api)).toBe(true);
  });

  it('explains its flags, and refuses what it does not understand', async () => {
    for (const [flags, code, answer] of [
      [['--help'], 0, '--data <folder>'],
      [['--port', '99999'], 1, 'A port is a whole number from 0 (any free one) to 65535.'],
      [['--prot', '3000'], 1, '--port'],
    ] as const) {
      const { child, said } = launch(...flags);
      expect(await once(child, 'close')).toEqual([code, null]);
      expect(said()).toContain(answer);
    }
  });

  it('starts a process again that is killed', async () => {
    const { api, said } = await start();
    const { pid } = (await parts()).find(({ name }) => name === 'API')!;
    process.kill(pid, 'SIGKILL');
    while (!said().includes('API: runs again.')) await sleep(20);
    expect(await isReady(api)).toBe(true);
  });
});
