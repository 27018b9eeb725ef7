import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startService, type Service } from '../support/service.js';

const README = new URL('../../README.md', import.meta.url);

/** The blocks of a page in this language, joined as somebody would paste them. */
const pasted = (page: string, language: string): string =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block).join('\n');

describe("the README's tour", () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  it('works, pasted line by line', async () => {
    const business = await service.createBusiness();
    const tour = pasted(await readFile(README, 'utf8'), 'bash')
      .replace(/^API=.*$/m, `API=${service.urls[0]}/v1`)
      .replace(/^TOKEN=.*$/m, `TOKEN=${await business.token('owner')}`);
    const { stdout, stderr } = await promisify(execFile)('bash', ['-eu', '-c', tour]);
    const [sold, place, cancelled, remaining, ...rest] = stdout.trimEnd().split('\n');

    expect(stderr).toBe('');
    expect(sold).toMatch(/^[0-9a-f-]{36}$/);
    expect([place, cancelled, remaining]).toEqual(['Session 2 of 5', 'cancelled', '6']);
    expect(rest.map((line) => line.trimEnd())).toEqual([
      'sold',
      'sessionConsumed 5 4',
      'sessionConsumed 4 3',
      'sessionReturned 3 4 cancelled',
      'remainingAdjusted 4 6 two more, with our thanks',
      'PackageSold: 5 left',
      'SessionConsumed: 4 left',
      'SessionConsumed: 3 left',
      'SessionReturned: 4 left',
      'RemainingAdjusted: 6 left',
      '4',
    ]);
  });
});
