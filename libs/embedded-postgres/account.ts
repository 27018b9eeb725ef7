import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Who Postgres runs as. */
export interface Account {
  uid: number;
  gid: number;
}

/**
 * Postgres refuses to run as root, so root runs it as the owner of the cluster, or for a new one as `postgres`, else as `nobody`.
 * Undefined: as ourselves.
 */
export async function serverAccount(cluster: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(cluster).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, name]))).catch(() => undefined);
    if (ids) return { uid: Number(ids[0]!.stdout), gid: Number(ids[1]!.stdout) };
  }
  throw new Error(
    'Postgres does not run as root, and there is no account `postgres` or `nobody` for it: make one, or start as an ordinary user.',
  );
}

/** Can the account enter this folder? Asked of the system itself: parents, access lists and mounts all have a say. */
export async function canEnter(account: Account | undefined, folder: string): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', ...account });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EPERM') return false;
    throw new Error('This process is root but may not start others as another user, which Postgres needs: start it as an ordinary user.', {
      cause: error,
    });
  }
}
