import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startService, type Service } from '../support/service.js';

const README = new URL('../../README.md', import.meta.url);
const AUDITING = new URL('../../docs/auditing.md', import.meta.url);
const GUIDE = new URL('../../docs/api.md', import.meta.url);

const REPORTS = new URL('../../docs/reports.md', import.meta.url);

const LINES_OF_THE_TOUR = 15;

/** The blocks of a page in this language, joined as somebody would paste them. */
const pasted = (page: string, language: string): string =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block).join('\n');

describe("the README's tour", () => {
  let service: Service;
  let folder: string;
  beforeAll(async () => {
    service = await startService();
    folder = await mkdtemp(join(tmpdir(), 'punchcard-docs-'));
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  /** The tour of a business of its own, and whatever comes after it. Node's pipes are sockets, at which an outermost bash reads its rc. */
  const run = async (...more: string[]) => {
    const business = await service.createBusiness({ timeZone: 'UTC' }); // as `date` says the month
    const tour = pasted(await readFile(README, 'utf8'), 'bash')
      .replace(/^API=.*$/m, `API=${service.urls[0]}/v1`)
      .replace(/^TOKEN=.*$/m, `TOKEN=${await business.token('owner')}`);
    return promisify(execFile)('bash', ['--norc', '-eu', '-c', [tour, ...more].join('\n')], { cwd: folder });
  };

  it('works, pasted line by line', async () => {
    const { stdout, stderr } = await run();
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

  it('goes on for auditors, who ask why and how it was', async () => {
    const { stdout, stderr } = await run(pasted(await readFile(AUDITING, 'utf8'), 'bash'));
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').slice(LINES_OF_THE_TOUR)).toEqual([
      ...['PackageSold 5: 5', 'SessionConsumed -1: 4', 'SessionConsumed -1: 3', 'SessionReturned 1: 4', 'RemainingAdjusted 2: 6'],
      ...['40000', 'PackageSold', 'true', '6', '0'],
    ]);
  });

  it('goes on in the API guide, with what the guide says', async () => {
    const { stdout, stderr } = await run(pasted(await readFile(GUIDE, 'utf8'), 'bash'));
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').slice(LINES_OF_THE_TOUR)).toEqual([
      ...['Nothing more', 'Session 2 of 7', 'forfeited', 'booked', '9000', '5', '2', 'Session 1 of 7', 'Session 2 of 7'],
      ...['cancelled', '40000', 'noOutstandingBalance', 'PACKAGE_REFUNDED'],
      ...['Anna Tremblay', '4', 'false', 'PACKAGE_NOT_SHARED'],
      ...['RemainingAdjusted', 'RemainingAdjusted'],
    ]);
    const made = await Promise.all(
      (await readdir(folder)).sort().map(async (name) => [name, (await readFile(join(folder, name))).toString('latin1')]),
    );
    expect(made.map(([name]) => name)).toEqual(['invoice.html', 'invoice.pdf', 'receipt.pdf']);
    expect(made.map(([, content]) => content!.slice(0, 5))).toEqual(['<!doc', '%PDF-', '%PDF-']);
  });

  it('J2, J3: goes on in the guide to reports, which answer what an owner asks', async () => {
    const { stdout, stderr } = await run(pasted(await readFile(REPORTS, 'utf8'), 'bash'));
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').slice(LINES_OF_THE_TOUR)).toEqual([
      ...['Five hot stone massages 1 40000', 'Anna Tremblay 40000', 'Anna Tremblay 6', 'Dana Roy 2 1', 'none 0 0'],
      ...['sold 5 5', 'consumed -1 4', 'consumed -1 3', 'returned 1 4', 'adjusted 2 6'],
      expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      'InvoiceIssued 40000 40000',
      ...['SessionConsumed -1 -1', 'SessionConsumed -1 -2', 'SessionReturned 1 -1', 'RemainingAdjusted 2 1'],
    ]);
    expect((await readFile(join(folder, 'sales.csv'))).toString()).toMatch(/^\uFEFFsoldOn,.*\r\n.*,Anna Tremblay,.*,400\.00\r\n$/);
    expect((await readFile(join(folder, 'statement.pdf'))).toString('latin1')).toMatch(/^%PDF-/);
  });
});
