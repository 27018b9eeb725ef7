import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canEnter, serverAccount, type Account } from './account.js';

/** Where a cluster and all that belongs to it stand: usually the data folder itself. */
export interface Home {
  dataDir: string;
  folder: string;
  cluster: string;
  password: string;
  log: string;
  account: Account | undefined;
}

const POINTER = 'moved-to';
const ELSEWHERE = '/var/lib/punchcard';

/**
 * The home of a data folder, made if it is new. When root's server account cannot enter the data folder (a parent of mode 0700), the
 * home is a folder of its own under /var/lib/punchcard, and a file `moved-to` in the data folder names it from then on.
 */
export async function openHome(wanted: string, log: (message: string) => void): Promise<Home> {
  await mkdir(wanted, { recursive: true });
  const dataDir = await realpath(wanted);
  const existing = await existingHome(dataDir);
  if (existing) {
    if (!(await canEnter(existing.account, existing.folder)))
      throw new Error(
        `The account that owns ${existing.cluster} (uid ${existing.account?.uid}) can no longer enter it: give it back search permission on the parent folders.`,
      );
    return existing;
  }

  const here = await homeAt(dataDir, dataDir);
  if (here.account) await chmod(dataDir, 0o711); // to pass through, not to list
  if (await canEnter(here.account, dataDir)) return here;

  const folder = join(ELSEWHERE, `${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}-${randomBytes(4).toString('hex')}`);
  await writeFile(join(dataDir, POINTER), `${folder}\n`); // first: a home that nothing points to would be lost
  await mkdir(folder, { recursive: true });
  for (const made of [ELSEWHERE, folder]) await chmod(made, 0o711);
  log(`${dataDir} cannot be entered by the account that Postgres runs as (uid ${here.account?.uid}), so its data is kept in ${folder}.`);
  return homeAt(dataDir, folder);
}

/** The home of a data folder, if it has one. */
export async function existingHome(dataDir: string): Promise<Home | undefined> {
  const elsewhere = await readFile(join(dataDir, POINTER), 'utf8').catch(() => undefined);
  const home = await homeAt(dataDir, elsewhere?.trim() ?? dataDir);
  const found = await stat(elsewhere === undefined ? home.cluster : home.folder).catch(() => undefined);
  return found && home;
}

async function homeAt(dataDir: string, folder: string): Promise<Home> {
  const cluster = join(folder, 'cluster');
  return {
    dataDir,
    folder,
    cluster,
    password: join(folder, 'password'),
    log: join(folder, 'postgres.log'),
    account: await serverAccount(cluster),
  };
}
