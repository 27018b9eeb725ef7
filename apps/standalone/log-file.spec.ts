import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog, summaryOf } from './log-file.js';

describe('a log file', () => {
  it('has every line; the console the first few that matter', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'log-spec-'));
    const shown: string[] = [];
    const log = openLog(join(folder, 'api.log'), 'api', (line) => shown.push(line));
    const stream = new PassThrough();
    log.follow(stream, 'output');
    const lines = Array.from({ length: 20 }, (_, n) => JSON.stringify({ level: n < 10 ? 30 : 40, msg: `line ${n}` }));
    stream.end(`${lines.join('\n')}\n`);
    while ((await readFile(log.path, 'utf8').catch(() => '')).split('\n').length < 21) await sleep(5);
    expect(shown).toEqual([10, 11, 12, 13, 14].map((n) => `api: warning: line ${n}`));
    expect(log.tail()).toEqual(lines);
    await rm(folder, { recursive: true });
  });

  it.each([
    ['{"level":30,"msg":"served"}', undefined],
    ['{"level":40,"msg":"slow"}', 'warning: slow'],
    ['{"level":50,"msg":"no answer","err":{"message":"timed out"}}', 'error: no answer (timed out)'],
    ['{"level":"info","time":1}', undefined],
    ['{"level":"warn","msg":"slow"}', 'warning: slow'],
    ['(node:1) Warning: something is deprecated', undefined],
    ['{"msg":"of another program","level":20}', undefined],
    ['Error: thrown before there was a logger', 'Error: thrown before there was a logger'],
    ['', undefined],
  ])('shows of %s: %s', (line, summary) => expect(summaryOf(line)).toBe(summary));
});
