import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, rmdir, stat, writeFile } from 'node:fs/promises';
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

  log(`${dataDir} cannot be entered by the account that Postgres runs as (uid ${here.account?.uid}): its data is kept under ${ELSEWHERE}.`);
  return moveTo(
    join(ELSEWHERE, `${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}-${randomBytes(4).toString('hex')}`),
    dataDir,
  );
}

/** Made first and pointed to second, so that a pointer to nothing means that data was lost. Of two at once, the first to point wins. */
async function moveTo(folder: string, dataDir: string): Promise<Home> {
  await mkdir(folder, { recursive: true });
  for (const made of [ELSEWHERE, folder]) await chmod(made, 0o711);
  try {
    await writeFile(join(dataDir, POINTER), `${folder}\n`, { flag: 'wx' });
  } catch (error) {
    await rmdir(folder);
    const first = await existingHome(dataDir);
    if (!first) throw error;
    return first;
  }
  return homeAt(dataDir, folder);
}

/** The home of a data folder, if it has one. */
export async function existingHome(dataDir: string): Promise<Home | undefined> {
  const elsewhere = (await readFile(join(dataDir, POINTER), 'utf8').catch(() => undefined))?.trim();
  const home = await homeAt(dataDir, elsewhere ?? dataDir);
  if (await stat(elsewhere ?? home.cluster).catch(() => undefined)) return home;
  if (elsewhere === undefined) return undefined;
  throw new Error(
    `${join(dataDir, POINTER)} says that the data is in ${elsewhere}, which is gone: restore it, or delete ${dataDir} and start anew.`,
  );
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
