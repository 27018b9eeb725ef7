import { readdir } from 'node:fs/promises';
import type { Projection } from './define-projection.js';

const FOLDER = new URL('../../projections/', import.meta.url);
const FILE = /\.projection\.[jt]s$/;

/** Every read model there is: whatever `projections/*.projection.ts` exports. Adding one is adding its file. */
export const allProjections = async (): Promise<Projection[]> => {
  const files = (await readdir(FOLDER)).filter((file) => FILE.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href) as Promise<Record<string, unknown>>));
  return modules.flatMap((module) => Object.values(module).filter(isProjection));
};

const isProjection = (value: unknown): value is Projection =>
  typeof value === 'object' && value !== null && 'on' in value && value.on instanceof Map && 'columns' in value;
