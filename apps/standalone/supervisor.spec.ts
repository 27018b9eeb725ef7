import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOf } from '../../libs/embedded-postgres/owner.js';
import { startChild, type ChildOptions } from './child.js';
import { childrenNote, endLeftovers } from './leftovers.js';
import { openLog } from './log-file.js';
import { supervisor } from './supervisor.js';

let folder: string;
let said: string[];
let parts: ReturnType<typeof supervisor>;
let gaveUp: Promise<string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supervisor-spec-'));
  said = [];
  let tell: (message: string) => void;
  gaveUp = new Promise((resolve) => (tell = resolve));
  parts = supervisor({ say: (message) => said.push(message), gaveUp: (message) => tell(message), firstBackoffMs: 1 });
});
afterEach(async () => {
  await parts.stop();
  await rm(folder, { recursive: true });
});

/** A process of a few lines, which notes its end in `ends`. */
const program = async (name: string, source: string, options: Partial<ChildOptions> = {}) => {
  const script = join(folder, `${name}.mjs`);
  await writeFile(script, `import { appendFileSync } from 'node:fs';\nconst ends = '${join(folder, 'ends')}';\n${source}`);
  const log = openLog(join(folder, `${name}.log`), name, (line) => said.push(line));
  return (spawned: ChildOptions['spawned']) =>
    startChild({ script, env: { ...process.env }, log, ...options, ...(spawned && { spawned }) });
};
const obedient = (name: string) => `
  for (const cause of ['SIGTERM', 'disconnect']) process.on(cause, () => { appendFileSync(ends, '${name} '); process.exit(0); });
  process.send({ ready: 'http://${name}' });`;
const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await sleep(5);
};

describe('supervisor', () => {
  it('tells what each process is ready with, and stops the last started first', async () => {
    for (const name of ['one', 'two', 'three']) {
      const { ready } = await parts.start(name, await program(name, obedient(name)));
      expect(ready).toBe(`http://${name}`);
    }
    await parts.stop();
    expect(await readFile(join(folder, 'ends'), 'utf8')).toBe('three two one ');
  });

  it('starts again what was killed', async () => {
    const { pid } = await parts.start('one', await program('one', obedient('one')));
    process.kill(pid, 'SIGKILL');
    await until(() => said.includes('one: runs again.'));
    expect(said[0]).toBe('one: ended (signal SIGKILL), starting again in 0.0 s.');
  });

  it('gives up on what ends again and again', async () => {
    await parts.start('one', await program('one', `process.send({ ready: true }, () => process.exit(3));`));
    expect(await gaveUp).toBe('one: ended 9 times in a row (exit code 3).');
  });

  it('says the last words of what does not start', async () => {
    const broken = await program('one', `console.error('no such database'); process.exit(2);`);
    await expect(parts.start('one', broken)).rejects.toThrow(
      /did not start. It ended before it was ready \(exit code 2\).\s+no such database/,
    );
    const silent = await program('two', `setInterval(() => undefined, 1000);`, { readyPatienceMs: 200 });
    await expect(parts.start('two', silent)).rejects.toThrow('not ready after 0.2 s');
  });

  it('ends what does not stop when asked, and what is still starting', async () => {
    const deaf = await program('deaf', `process.on('SIGTERM', () => undefined); process.send({ ready: true });`, { stopPatienceMs: 100 });
    const { pid } = await parts.start('deaf', deaf);
    const slow = await program('slow', `setInterval(() => undefined, 1000);`);
    const starting = parts.start('slow', slow).catch((error: Error) => error.message);
    await sleep(100);
    await parts.stop();
    expect(await starting).toContain('did not start');
    expect(await startOf(pid)).toBeUndefined();
    await expect(parts.start('late', slow)).rejects.toThrow('everything is being stopped');
  });

  it('stops what runs to its end once it is ready', async () => {
    const { ready } = await parts.run('work', await program('work', obedient('work')));
    expect(ready).toBe('http://work');
    expect(await readFile(join(folder, 'ends'), 'utf8')).toBe('work ');
  });
});

describe('leftovers', () => {
  it('are ended by the next start, and nothing else that has their pid by now', async () => {
    const note = join(folder, 'children.json');
    const deaf = await (await program('deaf', `setInterval(() => undefined, 1000); process.send({ ready: true });`))(undefined);
    await childrenNote(note)(new Map([['deaf', deaf.pid]]));
    const noted = JSON.parse(await readFile(note, 'utf8')) as object[];
    await writeFile(note, JSON.stringify([...noted, { name: 'other', pid: process.pid, start: 'another time' }]));
    await endLeftovers(note);
    expect(await deaf.ended).toBe('signal SIGKILL');
    await endLeftovers(join(folder, 'none.json'));
  });
});
