import fc from 'fast-check';
import { linesOf, type Measure } from './pdf-text.js';
import { hostile } from './testing/example-print.js';

const measure: Measure = (text) => text.length;
const broken = (text: string, width: number) =>
  linesOf(text, width, { size: 9 }, measure).map(({ runs }) => runs.map((run) => run.text).join(''));
const drawn = (text: string) => linesOf(text, 1_000, { size: 9 }, measure)[0]!.runs.map((run) => run.text);

describe('text on a PDF', () => {
  it('D3: is broken at spaces, and within a word that is wider than a line', () => {
    expect(broken('Five hot stone massages', 9)).toEqual(['Five hot', 'stone', 'massages']);
    expect(broken('a sixteenletterword', 8)).toEqual(['a sixtee', 'nletterw', 'ord']);
    expect(broken('', 9)).toEqual(['']);
  });
  it('D3: no line is wider than it may be, and no letter is lost', () =>
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'é', 'Ж', ' ', 'ש', '1'), maxLength: 60 }),
        fc.integer({ min: 3, max: 20 }),
        (text, width) => {
          const lines = broken(text, width);
          expect(lines.every((line) => line.length <= width)).toBe(true);
          const letters = (of: string) => [...of.replaceAll(/\s/gu, '')].sort().join('');
          expect(letters(lines.join(''))).toBe(letters(text));
        },
      ),
    ));
  it('D3: words written from the right stand from the right, numbers and Latin words among them from the left', () =>
    expect(drawn('שלום עולם (Shalom 24) אב').filter((run) => run.trim() !== '')).toEqual(['אב', '(', 'Shalom 24', ')', 'עולם', 'שלום']));
  it('D3: a name that is set apart leaves the order of the rest alone', () => {
    const runs = drawn(`\u2068${hostile.arabic}\u2069 5% on 300.00`);
    expect(runs.at(-1)).toBe(' 5% on 300.00');
    expect(runs.join('')).not.toMatch(/[\u2068\u2069]/u);
  });
  it('D3: a letter that the bold font lacks is drawn in the other', () => {
    const [line] = linesOf('aꜰ ༀ', 100, { size: 9, bold: true }, measure);
    expect(line!.runs[0]!.font).toBe('bold');
  });
});
