import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../resources/', import.meta.url);
const MADE_ANEW = ['Fields', 'PageShape', 'TotalsShape']; // bases that never stand in the document by themselves

describe('shapes of the document', () => {
  it('L1: have names of their own: of two with one name, the document would show one for both', () => {
    const names = readdirSync(folder)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .flatMap((file) => [...readFileSync(new URL(file, folder), 'utf8').matchAll(/\bclass (\w+)/g)].map(([, name]) => name!))
      .filter((name) => !MADE_ANEW.includes(name));
    expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
  });
});
