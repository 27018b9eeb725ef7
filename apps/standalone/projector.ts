import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { OperatorError } from './operator-error.js';
import { project } from './options.js';
import { surroundings } from './surroundings.js';

// `npm run projector -- status`: the projector's commands (docs/operations.md, "Read models") on the `npm start` that runs, or on what the
// environment names. Ctrl-C is the command's own to hear.

const NEEDED = ['DATABASE_URL', 'EVENTSTORE_URL', 'OPERATOR_KEY'];

async function main(): Promise<void> {
  const env = await surroundings(process.env.PUNCHCARD_DATA || join(project, '.data'), NEEDED);
  const command = join(import.meta.dirname, '..', 'projector', 'cli.js');
  const child = spawn(process.execPath, [command, ...process.argv.slice(2)], { env, stdio: 'inherit' });
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', fail).on('exit', (code) => process.exit(code ?? 1));
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof OperatorError ? error.message : String(error)}\n`);
  process.exit(1);
}

main().catch(fail);
