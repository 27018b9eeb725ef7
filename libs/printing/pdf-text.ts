import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Bidi } from 'bidi-js';
import { create, type Font } from 'fontkit';

// Text on a PDF, where nobody else breaks it into lines, finds a font that has its letters, or puts right-to-left text in order.

/** Letters of one font, in the order in which they are drawn: from the left. */
export interface Run {
  text: string;
  font: string;
  width: number;
}

export interface Line {
  runs: Run[];
  width: number;
}

export interface Style {
  size: number; // points
  bold?: boolean;
}

/** How wide a text of one font is, in points. */
export type Measure = (text: string, font: string, size: number) => number;

/** Breaks a text into lines of at most this width: at spaces, or within a word that is wider than a line. */
export const linesOf = (text: string, width: number, style: Style, measure: Measure): Line[] => {
  const widthOf = (part: string) =>
    piecesOf(part.replaceAll(INVISIBLE, ''), style.bold).reduce((sum, piece) => sum + measure(piece.text, piece.font, style.size), 0);
  const base = directionOf(text);
  return broken(text, width, widthOf).map((line) => {
    const runs = inVisualOrder(line, base, style.bold).map((run) => ({ ...run, width: measure(run.text, run.font, style.size) }));
    return { runs, width: runs.reduce((sum, run) => sum + run.width, 0) };
  });
};

const broken = (text: string, width: number, widthOf: (part: string) => number): string[] => {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  const put = (part: string): void => {
    const fits = used + widthOf(part.trimEnd()) <= width;
    if (!fits && line !== '') {
      lines.push(line.trimEnd());
      [line, used] = ['', 0];
    }
    line += part;
    used += widthOf(part);
  };
  for (const word of text.match(/\S+\s*/gu) ?? []) {
    if (widthOf(word.trimEnd()) <= width) put(word);
    else for (const { segment } of graphemes.segment(word)) put(segment);
  }
  return [...lines, line.trimEnd()];
};

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

interface Piece {
  text: string;
  font: string;
}

/** A text cut where the font changes. */
const piecesOf = (text: string, bold = false): Piece[] => {
  const pieces: Piece[] = [];
  for (const character of text) {
    const last = pieces.at(-1);
    const font = last && BELONGS_TO_THE_LETTER_BEFORE.test(character) ? last.font : fontOf(character, bold);
    if (last && last.font === font) last.text += character;
    else pieces.push({ text: character, font });
  }
  return pieces;
};

const BELONGS_TO_THE_LETTER_BEFORE = /[\p{M}\s\u200c\u200d]/u;

const require = createRequire(import.meta.url);
const bidi = (require('bidi-js') as () => Bidi)(); // its types are those of an ES module, which it is not

/** The direction of a paragraph is that of its first letter that has one. */
const directionOf = (text: string): 'ltr' | 'rtl' => ((bidi.getEmbeddingLevels(text).paragraphs[0]?.level ?? 0) % 2 === 0 ? 'ltr' : 'rtl');

/** UAX #9: a line's runs of one direction, from the left to the right. The font engine turns the letters within a right-to-left word. */
const inVisualOrder = (line: string, base: 'ltr' | 'rtl', bold?: boolean): Piece[] => {
  const runs = levelledRuns(line, base);
  const highest = runs.reduce((most, { level }) => Math.max(most, level), 0);
  let ordered = runs;
  for (let level = highest; level > 0; level -= 1) ordered = reversedFrom(level, ordered);
  return ordered.flatMap(({ text, level }) => {
    const shown = text.replaceAll(INVISIBLE, '');
    return level % 2 === 0 ? piecesOf(shown, bold) : fromTheRight(shown, bold);
  });
};

/** Marks that steer the direction and show nothing. */
const INVISIBLE = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;

interface Levelled {
  text: string;
  level: number;
}

const levelledRuns = (line: string, base: 'ltr' | 'rtl'): Levelled[] => {
  const embedding = bidi.getEmbeddingLevels(line, base);
  const mirrored = bidi.getMirroredCharactersMap(line, embedding.levels);
  const runs: Levelled[] = [];
  let index = 0;
  for (const character of line) {
    const level = embedding.levels[index]!;
    const last = runs.at(-1);
    const shown = mirrored.get(index) ?? character;
    if (last && last.level === level) last.text += shown;
    else runs.push({ text: shown, level });
    index += character.length;
  }
  return runs;
};

/** Each stretch of runs of this level or a higher one, turned round (rule L2). */
const reversedFrom = (least: number, runs: readonly Levelled[]): Levelled[] => {
  const turned: Levelled[] = [];
  let stretch: Levelled[] = [];
  for (const run of runs) {
    if (run.level >= least) stretch.unshift(run);
    else {
      turned.push(...stretch, run);
      stretch = [];
    }
  }
  return [...turned, ...stretch];
};

/** The words of a right-to-left run, the last first. What has no letters of its own is turned here, since no font engine would. */
const fromTheRight = (text: string, bold?: boolean): Piece[] =>
  text
    .split(/(\s+)/u)
    .filter((word) => word !== '')
    .reverse()
    .flatMap((word) => piecesOf(/\p{L}/u.test(word) ? word : [...word].reverse().join(''), bold).reverse());

const opened = (file: string): Font => create(readFileSync(require.resolve(`dejavu-fonts-ttf/ttf/${file}`))) as Font;

/** Read once, at the first PDF. In the order in which they are asked for a letter. */
let openFonts: Record<string, Font> | undefined;
export const fonts = (): Record<string, Font> =>
  (openFonts ??= { regular: opened('DejaVuSansCondensed.ttf'), bold: opened('DejaVuSansCondensed-Bold.ttf') });

const fontOf = (character: string, bold: boolean): string => {
  const wanted = bold ? 'bold' : 'regular';
  const has = (font: string) => fonts()[font]!.hasGlyphForCodePoint(character.codePointAt(0)!);
  return has(wanted) ? wanted : (Object.keys(fonts()).find(has) ?? wanted);
};
