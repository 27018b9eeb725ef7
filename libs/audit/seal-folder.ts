import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Seal } from '../domain/seal/seal.events.js';
import { sealHash } from './seal.js';

const DIGITS = 8;
const KEPT = /^(\d{8,})\.json$/;

/**
 * Where each seal is written to as well, to be kept elsewhere (K4): `<business>/<number>.json`. What is there is evidence: it is never written over.
 * A seal that differs from the one that was kept in its place stands beside it, `<number>.<hash>.json`, and somebody has to look.
 */
export class SealFolder {
  differing = 0; // such seals that this process has written

  constructor(
    private readonly folder: string,
    private readonly log: { error(details: object, message: string): void },
  ) {}

  async keep(seal: Seal): Promise<void> {
    const own = join(this.folder, seal.businessId);
    const number = String(seal.number).padStart(DIGITS, '0');
    await mkdir(own, { recursive: true });
    const path = join(own, `${number}.json`);
    const hash = sealHash(seal);
    const kept = await hashIn(path);
    if (kept === undefined) return writeWhole(path, seal);
    if (kept === hash) return;
    const beside = join(own, `${number}.${hash}.json`);
    if ((await hashIn(beside)) === hash) return;
    await writeWhole(beside, seal);
    this.differing += 1;
    this.log.error(
      { business: seal.businessId, seal: seal.number, kept: path, beside },
      'A seal is not the one that was kept: see docs/auditing.md.',
    );
  }

  /** From which number on it may lack seals of a business: the first that is not kept, or the newest that is. */
  async lacking(business: string): Promise<number> {
    const names = await readdir(join(this.folder, business)).catch(absent);
    const kept = new Set((names ?? []).map((name) => Number(KEPT.exec(name)?.[1] ?? 0)));
    let first = 1;
    while (kept.has(first)) first += 1;
    const isWhole = [...kept].every((number) => number < first);
    return isWhole ? Math.max(1, first - 1) : first;
  }
}

/** The hash of the seal in a file; empty when it holds none, undefined when there is no file. */
async function hashIn(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(absent);
  try {
    return text === undefined ? undefined : sealHash(JSON.parse(text) as Seal);
  } catch {
    return ''; // it is no JSON
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** Whole, or not there. */
async function writeWhole(path: string, seal: Seal): Promise<void> {
  const made = `${path}.${process.pid}.new`;
  await writeFile(made, `${JSON.stringify(seal)}\n`);
  await rename(made, path);
}
