import { createInterface } from 'node:readline/promises';
import { deleteData, describeData } from './data-folder.js';
import { OperatorError } from './operator-error.js';

/** `--reset`: says what goes, asks when there is someone to ask, and deletes it. False: the answer was no. Throws OperatorError. */
export async function reset(path: string, env: NodeJS.ProcessEnv, say: (message: string) => void): Promise<boolean> {
  for (const name of ['DATABASE_URL', 'EVENTSTORE_URL'])
    if (env[name] || env[`${name}_FILE`])
      throw new OperatorError(
        `--reset deletes only what npm start keeps by itself, and ${name} is set: empty that one yourself, or unset it.`,
      );
  const what = await describeData(path);
  if (what === undefined) return true;
  say(`To be deleted for good: ${what}.`);
  if (process.stdin.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await terminal.question('Delete it? [y/N] ');
    terminal.close();
    if (!/^y(es)?$/i.test(answer.trim())) return false;
  }
  await deleteData(path);
  say('Deleted.');
  return true;
}
