import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Business } from '../support/service.js';
import { startService, type Service } from '../support/service.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const PACKAGES = process.env.SOAK ? 5_000 : 120;
const BAD = 99; // which of them, from 0

/** The blocks of a page in this language. */
const blocks = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block!);

describe('docs/moving-in.md', () => {
  let service: Service;
  let business: Business;
  let folder: string;
  let page: string;
  beforeAll(async () => {
    service = await startService();
    business = await service.createBusiness();
    folder = await mkdtemp(join(tmpdir(), 'moving-in-'));
    page = await readFile(join(ROOT, 'docs/moving-in.md'), 'utf8');
    await writeFile(join(folder, 'clinic.yaml'), blocks(page, 'yaml').join(''));
    await writeFile(join(folder, 'packages.csv'), blocks(page, 'csv').join(''));
  });
  afterAll(async () => {
    await service?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** As npm runs it, from a folder of the reader's. */
  const pasted = async (command: string): Promise<string> => {
    const script = command
      .trim()
      .replace(/npm run -s ([a-z:]+) --/, (_, name: string) => `node ${ROOT}dist/apps/cli/${name.replace(':', '-')}.js`);
    const env = { ...process.env, PUNCHCARD_API: service.urls[0]!, PUNCHCARD_TOKEN: await business.token('owner') };
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-eu', '-c', script], { cwd: folder, env });
    return stdout.trimEnd().split('\n').at(-1)!;
  };

  it('L7: works, pasted command by command, and again', async () => {
    const [load, exportIt, dryRun, moveIn] = blocks(page, 'bash') as [string, string, string, string];
    expect(await pasted(load)).toBe('6 created, 1 changed, 0 unchanged.');
    expect(await pasted(load)).toBe('0 created, 0 changed, 7 unchanged.');
    await pasted(exportIt);
    expect(await readFile(join(folder, 'copy.yaml'), 'utf8')).toContain('key: wellness');
    expect(await pasted(load.replace('clinic.yaml', 'copy.yaml'))).toContain('0 created, 0 changed');
    expect(await pasted(dryRun)).toBe('3 of 3 packages would be moved in, 0 were there already, 0 rows are bad.');
    expect(await pasted(moveIn)).toBe('3 of 3 packages moved in, 0 were there already, 0 rows are bad.');
    expect(await pasted(moveIn)).toBe('0 of 3 packages moved in, 3 were there already, 0 rows are bad.');
  });

  it('L7: packages from a spreadsheet, of which one row is bad', async () => {
    const head = 'reference;offering;client;clientName;remaining;soldOn';
    const rows = Array.from(
      { length: PACKAGES }, // of clients who hold several
      (_, n) => `s-${n};Ten massages;c-${n % 30};Client ${n % 30};${n % 11};2026-05-0${1 + (n % 9)}`,
    );
    rows[BAD] = rows[BAD]!.replace('2026-05', '2026-02-3');
    await writeFile(join(folder, 'packages.csv'), `${head}\n${rows.join('\n')}\n`);
    const failed = await pasted('npm run -s import -- --file packages.csv --create-clients').catch(
      (error: { code: number; stdout: string }) => error,
    );
    expect(failed).toMatchObject({ code: 2 });
    expect((failed as { stdout: string }).stdout).toContain(
      `line ${BAD + 2}, soldOn: When it was sold: a date that exists, such as 2027-01-31. (NOT_A_DATE)`,
    );
    expect((failed as { stdout: string }).stdout).toContain(
      `${PACKAGES - 1} of ${PACKAGES} packages moved in, 0 were there already, 1 rows are bad.`,
    );
  }, 300_000); // ms: two cores may have much else to do
});
