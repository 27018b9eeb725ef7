import { heightOf, type Sheet } from './pdf-sheet.js';
import type { Line } from './pdf-text.js';

export interface Column {
  head: string;
  amount?: true; // on the right
  atMost?: number; // points; without it, as wide as what stands in it
  flexible?: true; // takes what the others leave
}

/** A cell is a text, or a list of them whose items stand beside those of the other lists in the row. */
export interface Row {
  cells: readonly (string | readonly string[])[];
  bold?: boolean;
  ruleAbove?: boolean;
  struck?: boolean; // its last cell
}

export interface Table {
  caption: string;
  columns: readonly Column[];
  rows: readonly Row[];
}

/** Where a table stands: on the whole width of the sheet, or on a part of it. */
interface Place {
  x: number;
  widths: readonly number[];
}

const SIZE = 8.5;
const HEAD = { size: 8, bold: true, colour: '#444444' };
const GAP = 10; // between columns
const PADDING = 3; // above and below a row
const BEFORE = 20; // above a table

/** A table that goes on over pages, each time under its heads. No row is divided. */
export const drawTable = (sheet: Sheet, table: Table): void => {
  const place = { x: sheet.left, widths: widthsOf(sheet, table, sheet.width) };
  const rows = table.rows.map((row) => laidOut(sheet, row, place));
  const heads = BEFORE + heightOf(HEAD.size) * 2 + PADDING * 2;
  if (sheet.room < heads + (rows[0]?.height ?? 0)) sheet.newPage();
  else sheet.y += BEFORE;
  sheet.y = sheet.write(table.caption, HEAD) + PADDING;
  drawHeads(sheet, table, place);
  for (const row of rows) {
    if (sheet.room < row.height) {
      sheet.newPage();
      drawHeads(sheet, table, place);
    }
    drawRow(sheet, table, row, place);
    sheet.rule(sheet.y, 0.5, { colour: '#cccccc' });
  }
};

/** Sums on the right, all of them on one page. */
export const drawSums = (sheet: Sheet, table: Table, width: number): void => {
  const place = { x: sheet.left + sheet.width - width, widths: widthsOf(sheet, table, width) };
  const rows = table.rows.map((row) => laidOut(sheet, row, place));
  const height = rows.reduce((sum, row) => sum + row.height, BEFORE + heightOf(HEAD.size));
  if (sheet.room < height) sheet.newPage();
  else sheet.y += BEFORE;
  sheet.y = sheet.write(table.caption, { ...HEAD, x: place.x }) + PADDING;
  for (const row of rows) {
    if (sheet.room < row.height) sheet.newPage(); // only where they are more than a page
    if (row.ruleAbove) sheet.rule(sheet.y, 0.75, { x: place.x, width });
    drawRow(sheet, table, row, place);
  }
};

/** As wide as their widest text; the flexible one has what is left. */
const widthsOf = (sheet: Sheet, { columns, rows }: Table, width: number): number[] => {
  const natural = columns.map(({ head, atMost = Infinity }, n) => {
    const texts = rows.flatMap(({ cells, bold }) => [cells[n] ?? ''].flat().map((text) => sheet.widthOf(text, { size: SIZE, bold })));
    return Math.min(atMost, Math.max(sheet.widthOf(head, HEAD), ...texts) + 0.01); // so that rounding breaks no line
  });
  const others = natural.reduce((sum, each, n) => (columns[n]!.flexible ? sum : sum + each), GAP * (columns.length - 1));
  return natural.map((each, n) => (columns[n]!.flexible ? width - others : each));
};

interface LaidOut extends Omit<Row, 'cells'> {
  cells: Line[][][]; // cell → item → line
  items: number[]; // how many lines the items beside each other take
  height: number;
}

const laidOut = (sheet: Sheet, { cells, ...row }: Row, { widths }: Place): LaidOut => {
  const lines = cells.map((cell, n) => [cell].flat().map((text) => sheet.lines(text, widths[n]!, { size: SIZE, bold: row.bold })));
  const lists = lines.filter((_, n) => typeof cells[n] !== 'string');
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const items = Array.from({ length: longest }, (_, item) => Math.max(...lists.map((list) => list[item]?.length ?? 0)));
  const single = lines.filter((_, n) => typeof cells[n] === 'string').map(([text]) => text!.length);
  const most = Math.max(
    items.reduce((sum, each) => sum + each, 0),
    ...single,
  );
  return { ...row, cells: lines, items, height: most * heightOf(SIZE) + 2 * PADDING };
};

const drawHeads = (sheet: Sheet, { columns }: Table, { x, widths }: Place): void => {
  columns.forEach(({ head, amount }, n) =>
    sheet.write(head, { ...HEAD, x: leftOf(n, x, widths), width: widths[n]!, align: amount ? 'right' : 'left' }),
  );
  sheet.y += heightOf(HEAD.size) + 1;
  sheet.rule(sheet.y, 0.75);
};

/** Item by item, so that who reads or copies the text finds what stands together together. */
const drawRow = (sheet: Sheet, { columns }: Table, { cells, items, height, struck }: LaidOut, { x, widths }: Place): void => {
  const placeOf = (n: number) => ({
    x: leftOf(n, x, widths),
    width: widths[n]!,
    align: columns[n]!.amount ? ('right' as const) : undefined,
  });
  let y = sheet.y + PADDING;
  for (let item = 0; item < Math.max(1, items.length); item += 1) {
    cells.forEach((cell, n) => sheet.draw(cell[item] ?? [], { ...placeOf(n), y, size: SIZE }));
    y += (items[item] ?? 0) * heightOf(SIZE);
  }
  const last = cells.length - 1;
  if (struck) strike(sheet, cells[last]?.[0]?.[0]?.width ?? 0, placeOf(last));
  sheet.y += height;
};

/** Through the first line of an amount. */
const strike = (sheet: Sheet, wide: number, { x, width }: { x: number; width: number }): void =>
  sheet.rule(sheet.y + PADDING + SIZE * 0.68, 0.75, { x: x + width - wide, width: wide });

const leftOf = (column: number, x: number, widths: readonly number[]): number =>
  widths.slice(0, column).reduce((sum, width) => sum + width + GAP, x);
