import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openState } from './state.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stripe-state-'));
  path = join(folder, 'state.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const kept = (id: string) => ({ id, request: 'r', status: 200, body: '{}' });

describe('the state', () => {
  it('is there again after a restart, in its order', () => {
    const state = openState(path);
    state.transact(() => ['a', 'b'].forEach((id) => state.answers.put('acct_1', kept(id))));
    state.transact(() => state.answers.put('acct_1', { ...kept('a'), status: 500 }));
    state.close();
    const again = openState(path);
    expect(again.answers.of('acct_1').map(({ id, status }) => [id, status])).toEqual([
      ['a', 500],
      ['b', 200],
    ]);
    expect(again.answers.get('acct_2', 'a')).toBeUndefined();
    again.close();
  });

  it('keeps all of what changed together, or nothing', async () => {
    const state = openState(path);
    state.transact(() => state.answers.put('acct_1', kept('a')));
    const failing = () =>
      state.transact(() => {
        state.answers.put('acct_1', { ...kept('a'), status: 500 });
        state.answers.put('acct_1', kept('b'));
        throw new Error('in the middle');
      });
    expect(failing).toThrow('in the middle');
    expect(state.answers.of('acct_1')).toEqual([kept('a')]);
    expect(() => state.answers.put('acct_1', kept('c'))).toThrow('outside of a transaction');
    state.close();
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(2);
  });

  it('leaves out a last line that was torn, and goes on after it', async () => {
    const state = openState(path);
    state.transact(() => state.answers.put('acct_1', kept('a')));
    state.close();
    await appendFile(path, '[["answers","acct_1",{"id":"é');
    const torn = openState(path);
    expect(torn.answers.of('acct_1')).toHaveLength(1);
    torn.transact(() => torn.answers.put('acct_1', kept('b')));
    torn.close();
    const again = openState(path);
    expect(again.answers.of('acct_1').map(({ id }) => id)).toEqual(['a', 'b']);
    again.close();
  });
});
