import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { sealHash } from './seal.js';
import { BUSINESS, KEY } from './testing/example-history.js';
import { Unsealed } from './unsealed.js';

// docs/stored-forms.md works a seal out with nothing but node: what it says there is what we make.

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const FORMS = new URL('../../docs/stored-forms.md', import.meta.url);

it('K4: the seal that is worked out in the docs is one that we make, and its program says that it holds', async () => {
  const unsealed = new Unsealed(BUSINESS, undefined);
  for (const [n, position] of [17n, 42n].entries()) {
    const event = { stream: `package-${n + 1}`, revision: 0n, position, metadata: { hash: hashOf(`event ${n + 1}`) } };
    unsealed.take(event as unknown as Parameters<Unsealed['take']>[0]);
  }
  const seal = unsealed.sealed('2027-01-31T10:00:00.000Z', KEY);
  const section = (await readFile(FORMS, 'utf8')).split('### A seal, worked out')[1]!;
  const [program, says] = ['js', 'text'].map((language) => section.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!);
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program!]);
  expect(stdout).toBe(says);
  expect(says).toBe(`log true, signature true, named by the next as ${sealHash(seal)}\n`);
  expect(program).toContain(seal.signature);
});
