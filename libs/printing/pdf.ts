import PDFDocument from 'pdfkit';
import { fonts } from './pdf-text.js';
import { Sheet } from './pdf-sheet.js';
import { drawSums, drawTable } from './pdf-table.js';
import { ENTRY_HEADS, LINE_HEADS, MOVEMENT_HEADS, type PrintedPage } from './printed-page.js';
import type { Paper } from './style.js';

const GREY = '#444444';
const GREEN = '#1b5e20';
const LABEL = { size: 8, colour: GREY };
const TEXT = { size: 9 };

/**
 * The same page as `htmlOf` lays out, as a PDF with its letters in it. The same page gives the same bytes. It has a
 * bounded number of lines, so that it is made in memory and answered whole, or not at all.
 */
export const pdfOf = (page: PrintedPage, paper: Paper = 'A4'): Promise<Buffer> => {
  const document = new PDFDocument({
    ...{ size: paper === 'A4' ? 'A4' : 'LETTER', margin: 0, bufferPages: true, font: '', lang: 'en', displayTitle: true },
    info: { Title: page.name, Author: page.business, Creator: 'Punchcard', CreationDate: new Date(page.issuedOn) },
  });
  // pdfkit takes fonts that fontkit has opened, which its types do not say
  for (const [name, font] of Object.entries(fonts())) document.registerFont(name, font as unknown as Buffer);
  const whole = collected(document);
  const sheet = new Sheet(document);
  drawHead(sheet, page);
  drawAbout(sheet, page);
  drawHeadline(sheet, page);
  if (page.note !== null) sheet.y = sheet.write(page.note, { ...TEXT, y: sheet.y + 8 });
  for (const table of page.tables) TABLES[table](sheet, page);
  if (page.totals.length > 0) drawTotals(sheet, page);
  sheet.numberPages((n, of) => `${page.footer} · Page ${n} of ${of}`, LABEL);
  document.end();
  return whole;
};

const collected = (document: PDFKit.PDFDocument): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });

const drawHead = (sheet: Sheet, { business, title }: PrintedPage): void => {
  const { left, width, y } = sheet;
  const below = sheet.write(business, { size: 13, bold: true, width: width * 0.66 });
  sheet.write(title, { size: 19, bold: true, x: left + width * 0.68, width: width * 0.32, align: 'right', y: y - 5 });
  sheet.y = Math.max(below, y + 18) + 6;
  sheet.rule(sheet.y, 1.5);
  sheet.y += 14;
};

/** Whom it is for on the left, what it is on the right. */
const drawAbout = (sheet: Sheet, { addressee, facts }: PrintedPage): void => {
  const { left, width, y } = sheet;
  const half = width / 2 - 10;
  const under = sheet.write(addressee.label, { ...LABEL, width: half });
  const below = sheet.write(addressee.value, { size: 11, bold: true, width: half, y: under + 1 });
  const labels = Math.max(...facts.map(({ label }) => sheet.widthOf(label, LABEL)));
  let line = y;
  for (const { label, value } of facts) {
    sheet.write(label, { ...LABEL, x: left + width / 2, y: line + 1 });
    line = sheet.write(value, { ...TEXT, x: left + width / 2 + labels + 10, width: half - labels, y: line }) + 2;
  }
  sheet.y = Math.max(below, line) + 10;
};

/** The figure that matters most, in a box, with the stamp. */
const drawHeadline = (sheet: Sheet, { headline, stamp }: PrintedPage): void => {
  const { left, width, y } = sheet;
  const height = 34;
  sheet.box(left, y, width, height, { colour: '#999999', line: 0.75 });
  const beside = left + 12 + sheet.widthOf(headline.label, TEXT) + 8;
  sheet.write(headline.label, { ...TEXT, x: left + 12, y: y + 12 });
  sheet.write(headline.amount, { size: 13, bold: true, x: beside, y: y + 9 });
  if (stamp !== null) {
    const style = { size: 10, bold: true, colour: GREEN };
    const wide = sheet.widthOf(stamp, style) + 24;
    sheet.box(left + width - wide - 10, y + 7, wide, 20, { colour: GREEN, line: 1.5 });
    sheet.write(stamp, { ...style, x: left + width - wide + 2, y: y + 11 });
  }
  sheet.y = y + height;
};

const drawLines = (sheet: Sheet, { lines, captions }: PrintedPage): void => {
  const [description, net, tax, taxAmount, total] = LINE_HEADS;
  drawTable(sheet, {
    caption: captions.lines,
    columns: [
      { head: description, flexible: true },
      { head: net, amount: true },
      { head: tax, atMost: 120 },
      { head: taxAmount, amount: true },
      { head: total, amount: true },
    ],
    rows: lines.map((line) => ({
      cells: [
        ...[line.description, line.net],
        ...(line.taxes.length === 0 ? ['none', ''] : [line.taxes.map(({ label }) => label), line.taxes.map(({ amount }) => amount)]),
        line.total,
      ],
    })),
  });
};

const drawMovements = (sheet: Sheet, { movements, captions }: PrintedPage): void => {
  const [date, payment, reference, amount] = MOVEMENT_HEADS;
  drawTable(sheet, {
    caption: captions.movements,
    columns: [{ head: date }, { head: payment }, { head: reference, flexible: true }, { head: amount, amount: true }],
    rows: movements.map((movement) => ({
      cells: [movement.on, movement.what, movement.reference, movement.amount],
      struck: movement.voided,
    })),
  });
};

const drawEntries = (sheet: Sheet, { entries, captions }: PrintedPage): void => {
  const [date, what, service, change, left, fee] = ENTRY_HEADS;
  drawTable(sheet, {
    caption: captions.entries,
    columns: [
      ...[{ head: date }, { head: what, atMost: 170 }, { head: service, flexible: true as const }],
      ...[change, left, fee].map((head) => ({ head, amount: true as const })),
    ],
    rows: entries.map(({ on, what: happened, service: of, effect, remaining, fee: charged }) => ({
      cells: [on, happened, of, effect, remaining, charged],
    })),
  });
};

const TABLES: Record<PrintedPage['tables'][number], (sheet: Sheet, page: PrintedPage) => void> = {
  ...{ lines: drawLines, movements: drawMovements, entries: drawEntries },
};

const drawTotals = (sheet: Sheet, { totals, captions }: PrintedPage): void =>
  drawSums(
    sheet,
    {
      caption: captions.totals,
      columns: [
        { head: '', flexible: true },
        { head: '', amount: true },
      ],
      rows: totals.map(({ label, amount, isSum }) => ({ cells: [label, amount], bold: isSum, ruleAbove: isSum })),
    },
    sheet.width * 0.5,
  );
