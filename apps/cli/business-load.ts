import { readFile } from 'node:fs/promises';
import { accessOf, apiCommand, CliError, run, send, type Access } from './api.js';

// `npm run business:load -- --file clinic.yaml`: a business from a file (docs/moving-in.md).

async function main(access: Access, path: string): Promise<void> {
  const body = await readFile(path, 'utf8').catch(() => {
    throw new CliError(`${path} can't be read.`);
  });
  const type = path.endsWith('.json') ? 'application/json' : 'application/yaml';
  const answer = await send(access, '/catalogue-file', { method: 'PUT', type, body });
  const { created, changed, unchanged } = (await answer.json()) as Record<'created' | 'changed' | 'unchanged', number>;
  process.stdout.write(`${created} created, ${changed} changed, ${unchanged} unchanged.\n`);
}

const command = apiCommand(
  'npm run business:load --',
  'Makes what a file says a business has and sells. Safe to run again.',
).requiredOption('--file <path>', 'YAML, or JSON if its name ends so');

const options = command.parse().opts<{ api: string; token?: string; file: string }>();
run((async () => main(accessOf(options), options.file))());
