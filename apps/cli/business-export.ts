import { accessOf, apiCommand, run, send, type Access } from './api.js';

// `npm run -s business:export -- > clinic.yaml`: what a business has and sells, as a file (docs/moving-in.md).

async function main(access: Access, json: boolean): Promise<void> {
  const answer = await send(access, `/catalogue-file?format=${json ? 'json' : 'yaml'}`);
  const text = await answer.text();
  process.stdout.write(json ? `${JSON.stringify(JSON.parse(text), undefined, 2)}\n` : text);
}

const command = apiCommand('npm run -s business:export --', 'Writes what a business has and sells to the standard output, as YAML.').option(
  '--json',
  'as JSON',
);

const options = command.parse().opts<{ api: string; token?: string; json?: boolean }>();
run((async () => main(accessOf(options), options.json ?? false))());
