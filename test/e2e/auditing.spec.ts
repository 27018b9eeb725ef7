import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { sealHash, sealKeyOf } from '../../libs/audit/seal.js';
import type { Verdict } from '../../libs/audit/fault.js';
import { type Seal, sealsOf } from '../../libs/domain/seal/seal.events.js';
import type { EncodedEvent } from '../../libs/event-store/event-store.js';
import { openClinic, type Clinic, type Page } from '../support/clinic.js';
import { until } from '../support/fleet.js';
import { startService, type Service } from '../support/service.js';

// K4 on the whole service: the projector seals, the auditor reads the seals and an export, and proves with a command that all holds, or finds what does not.

const SEAL_KEY = '5e'.repeat(32);
const { publicKey } = sealKeyOf(SEAL_KEY);
const run = promisify(execFile);

let service: Service;
let folder: string;
let clinic: Clinic;
let another: Clinic;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'punchcard-seals-'));
  service = await startService({ env: { SEAL_KEY, SEAL_MINUTES: '0.02', SEAL_FOLDER: folder, PROJECTOR_PORT: '0' } });
  [clinic, another] = [await openClinic(service), await openClinic(service)];
  const clientId = await clinic.client('Anna Tremblay');
  await clinic.book(await clinic.sell({}, { clientId }));
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

/** The newest seal, once it covers all that has happened in a business. */
async function sealed(of: Clinic): Promise<Seal> {
  const through = await service.lastPosition();
  for (;;) {
    const { items } = await (await of.as('auditor')).get<Page<Seal>>('/v1/audit/seals?limit=1');
    const last = await lastOf(of, through);
    if (items[0] && BigInt(items[0].through) >= last) return items[0];
    await sleep(50);
  }
}

async function lastOf(of: Clinic, through: bigint): Promise<bigint> {
  let last = -1n;
  for await (const batch of service.store.readAll())
    for (const { position, metadata, stream } of batch)
      if (position <= through && metadata.business === of.business.id && !stream.startsWith('seals-')) last = position;
  return last;
}

/** `npm run audit:verify`, as it is compiled; its exit code, and what it said. */
async function verify(...args: string[]): Promise<{ code: number; verdicts: Verdict[]; said: string }> {
  const script = fileURLToPath(new URL('../../dist/apps/standalone/audit.js', import.meta.url));
  const { PATH = '', EVENTSTORE_URL } = { ...process.env, EVENTSTORE_URL: service.eventStoreUrl };
  const env = args.includes('--file') ? { PATH } : { PATH, EVENTSTORE_URL };
  const ended = await run(process.execPath, [script, 'verify', '--json', ...args], { env, maxBuffer: 1 << 26 }).catch(
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  const code = 'code' in ended ? ended.code : 0;
  return { code, verdicts: ended.stdout ? (JSON.parse(ended.stdout) as Verdict[]) : [], said: ended.stderr };
}

async function exported(of: Clinic): Promise<string> {
  const auditor = await of.as('auditor');
  let answer = await auditor.send<string>('GET', '/v1/audit/export');
  for (; answer.status === 503; answer = await auditor.send('GET', '/v1/audit/export')) await sleep(50); // one before it is not quite over
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
  return answer.body;
}

it('K4: the projector seals what has happened, also to a folder, and each seal names the one before', async () => {
  await sealed(clinic);
  await clinic.client('Ben Roy');
  const seal = await sealed(clinic);
  expect(seal).toMatchObject({ businessId: clinic.business.id, publicKey });
  expect(seal.number).toBeGreaterThan(1);
  const { items } = await (await clinic.as('auditor')).get<Page<Seal>>('/v1/audit/seals?limit=2');
  expect(seal.previous).toBe(sealHash(items[1]!));
  expect(seal.heads.map(({ stream }) => stream)).toEqual([expect.stringMatching(/^client-/)]);
  const files = await readdir(join(folder, clinic.business.id));
  expect(
    JSON.parse(
      await readFile(
        join(
          folder,
          clinic.business.id,
          files
            .filter((file) => file.endsWith('.json'))
            .sort()
            .at(-1)!,
        ),
        'utf8',
      ),
    ),
  ).toEqual(seal);
});

it('K4: seals are paged, the newest first, and only those of the own business', async () => {
  const auditor = await clinic.as('auditor');
  const newest = await sealed(clinic);
  const numbers: number[] = [];
  for (let cursor = ''; ;) {
    const { items, next } = await auditor.get<Page<Seal>>(`/v1/audit/seals?limit=1${cursor}`);
    numbers.push(...items.map(({ number }) => number));
    expect(items.every(({ businessId }) => businessId === clinic.business.id)).toBe(true);
    if (next === null) break;
    cursor = `&cursor=${next}`;
  }
  expect(numbers).toEqual(Array.from({ length: newest.number }, (_, n) => newest.number - n));
  await auditor.refused(400, 'GET', '/v1/audit/seals?cursor=made-up');
});

it('K4: the public key is told', async () => {
  const { items } = await (await clinic.as('auditor')).get<{ items: { publicKey: string; pem: string }[] }>('/v1/audit/public-keys');
  expect(items).toMatchObject([{ publicKey, pem: expect.stringContaining('BEGIN PUBLIC KEY') }]);
});

it('A2: owners, administrators and auditors may export and read seals, nobody else', async () => {
  for (const role of ['receptionist', 'client'] as const)
    for (const path of ['seals', 'public-keys', 'export']) await (await clinic.as(role)).refused(403, 'GET', `/v1/audit/${path}`);
  for (const role of ['owner', 'administrator', 'auditor'] as const) await (await clinic.as(role)).get('/v1/audit/seals');
});

it('K4: the event store verifies, all businesses or one', async () => {
  await sealed(another);
  const { code, verdicts } = await verify('--public-key', publicKey);
  expect(code).toBe(0);
  expect(verdicts.map(({ business }) => business)).toEqual(expect.arrayContaining([clinic.business.id, another.business.id]));
  for (const verdict of verdicts) expect(verdict).toMatchObject({ faults: [], sealed: verdict.events });
  const one = await verify('--business', clinic.business.id);
  expect(one.verdicts.map(({ business }) => business)).toEqual([clinic.business.id]);
});

it('K4: an export holds the whole history of the business, nothing of another, nobody in clear, and verifies offline', async () => {
  const seal = await sealed(clinic);
  const text = await exported(clinic);
  expect(text).not.toContain('Anna Tremblay');
  expect(text).toContain('"$enc":1');
  expect(text).not.toContain(another.business.id);
  const file = join(folder, 'export.jsonl');
  const kept = join(folder, 'kept.json');
  await writeFile(file, text);
  await writeFile(kept, JSON.stringify(seal));
  const whole = await verify('--file', file, '--public-key', publicKey, '--seal', kept);
  expect(whole).toMatchObject({ code: 0, verdicts: [{ business: clinic.business.id, faults: [], seals: seal.number }] });

  const lines = text.trimEnd().split('\n');
  const at = lines.findIndex((line) => line.includes('"type":"PackageSold"'));
  await writeFile(file, `${lines.filter((_, n) => n !== at).join('\n')}\n`);
  const broken = await verify('--file', file);
  expect(broken.code).toBe(2);
  expect(broken.verdicts[0]!.faults[0]).toMatchObject({ why: 'dropped', stream: expect.stringMatching(/^package-/), revision: '0' });
});

it('K4: exports wait for each other, so that they leave enough for the others', async () => {
  const auditor = await clinic.as('auditor');
  const answers = await Promise.all(Array.from({ length: 12 }, () => auditor.send<string | object>('GET', '/v1/audit/export')));
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(answers.length);
  for (const { status, body, headers } of refused) {
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(body).toMatchObject({ code: 'TOO_BUSY' });
  }
  const stopped = new AbortController();
  const authorization = `Bearer ${await clinic.business.token('auditor')}`;
  await fetch(`${service.urls[0]}/v1/audit/export`, { headers: { authorization }, signal: stopped.signal });
  stopped.abort();
  await exported(clinic);
});

it('K4: an export is whole while others write on', async () => {
  const file = join(folder, 'while.jsonl');
  const writing = Promise.all(Array.from({ length: 30 }, (_, n) => clinic.client(`Somebody ${n}`)));
  const text = await exported(clinic);
  await writing;
  await writeFile(file, text);
  expect(await verify('--file', file)).toMatchObject({ code: 0, verdicts: [{ faults: [] }] });
});

it('K4: a history whose seals were taken away is not said to hold', async () => {
  const file = join(folder, 'unsealed.jsonl');
  const lines = (await exported(clinic)).trimEnd().split('\n').slice(0, -1);
  const left = lines.filter((line) => !line.startsWith('{"seal":'));
  await writeFile(file, [...left, JSON.stringify({ end: { events: left.length - 1, seals: 0 } }), ''].join('\n'));
  const [unknown, known] = await Promise.all([verify('--file', file), verify('--file', file, '--public-key', publicKey)]);
  expect(unknown).toMatchObject({ code: 3, verdicts: [{ seals: 0, faults: [] }] });
  expect(known).toMatchObject({ code: 2, verdicts: [{ faults: [{ why: 'sealMissing', seal: 1 }] }] });
});

it('K4: what cannot be verified is told, and is not taken for broken', async () => {
  expect(await verify('--file', join(folder, 'none.jsonl'))).toMatchObject({ code: 1, said: expect.stringContaining("can't be read") });
  await writeFile(join(folder, 'other.jsonl'), '{"some":"thing"}\n');
  expect(await verify('--file', join(folder, 'other.jsonl'))).toMatchObject({ code: 1 });
});

it('K4: what somebody else writes among the seals is told, in health and metrics too, and what comes after it is sealed', async () => {
  const before = await sealed(clinic);
  const stream = sealsOf(clinic.business.id);
  const forged = sealKeyOf('66'.repeat(32)).seal({ ...before, number: before.number + 1, previous: sealHash(before) });
  const strays = [{}, forged, before].map((data) => ({
    ...{ id: randomUUID(), type: data === forged || data === before ? 'HistorySealed' : 'SomebodyElses' },
    ...{ data, metadata: {} as EncodedEvent['metadata'] },
  }));
  await service.store.append(stream, BigInt(before.number) - 1n, strays);
  await clinic.client('Dora Gagnon');
  expect((await sealed(clinic)).number).toBe(before.number + 1);
  const saying = async (path: string) => (await fetch(`${service.projectorUrl()}${path}`)).text();
  await until(async () => (await saying('/health/ready')).includes('"strays":3'), 'it is told');
  expect(await saying('/metrics')).toContain('punchcard_seals_stray_events 3');
  const { items } = await (await clinic.as('auditor')).get<Page<Seal>>('/v1/audit/seals?limit=2');
  expect(items.map(({ number }) => number)).toEqual([before.number + 1, before.number]);
  const { code, verdicts } = await verify('--business', clinic.business.id, '--public-key', publicKey);
  expect([code, verdicts[0]!.faults]).toMatchObject([
    2,
    [0, 1, 2].map((n) => ({ why: 'inserted', stream, revision: String(before.number + n) })),
  ]);
});

it('K4: all can be sealed at once, and the public key printed', async () => {
  const script = fileURLToPath(new URL('../../dist/apps/standalone/audit.js', import.meta.url));
  const { connectionString: DATABASE_URL = '' } = service.pool.options;
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL,
    EVENTSTORE_URL: service.eventStoreUrl,
    SEAL_KEY,
    SEAL_FOLDER: join(folder, 'at-once'),
  };
  await service.stopProjector(); // which seals too
  await clinic.client('Carla Moreau');
  expect((await run(process.execPath, [script, 'seal'], { env })).stdout).toBe('1 seals made.\n');
  expect((await run(process.execPath, [script, 'seal'], { env })).stdout).toBe('0 seals made.\n');
  expect(await readdir(join(folder, 'at-once', clinic.business.id))).not.toEqual([]);
  expect((await run(process.execPath, [script, 'public-key'], { env })).stdout).toContain(publicKey);
});
