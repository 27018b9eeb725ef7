import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

// `node --import …/typescript-loader.mjs some.ts` runs our sources as they are, so that tests can start (and kill) processes of them
// without a build.

if (isMainThread) register(import.meta.url);

export const resolve = (specifier, context, next) => {
  const source = specifier.startsWith('.') && specifier.endsWith('.js') && new URL(specifier.slice(0, -3) + '.ts', context.parentURL);
  return next(source && existsSync(source) ? source.href : specifier, context);
};

export const load = async (url, context, next) => {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const { transform } = await import('@swc/core');
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), { filename, sourceMaps: 'inline' });
  return { format: 'module', source: code, shortCircuit: true };
};
