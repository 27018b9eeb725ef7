import { linesOf, type Line, type Style } from './pdf-text.js';

export interface Written extends Style {
  x?: number;
  y?: number; // of the top of the first line
  width?: number;
  align?: 'left' | 'right';
  colour?: string;
}

const MARGIN = 45; // points: 16 mm
const FOOT = 24; // for the number of the page
const BLACK = '#111111';

/** The pages of a PDF, written from top to bottom: `y` is where the next thing goes. Lengths are points. */
export class Sheet {
  readonly left = MARGIN;
  readonly width: number;
  y = MARGIN;

  constructor(private readonly document: PDFKit.PDFDocument) {
    this.width = document.page.width - 2 * MARGIN;
  }

  /** What is left of this page. */
  get room(): number {
    return this.document.page.height - MARGIN - FOOT - this.y;
  }

  newPage(): void {
    this.document.addPage();
    this.y = MARGIN;
  }

  /** Text in lines of at most this width. Gives where it ends. */
  write(text: string, { x, y, width = this.width, align, colour, ...style }: Written): number {
    return this.draw(this.lines(text, width, style), { x: x ?? this.left, y: y ?? this.y, width, align, colour, ...style });
  }

  lines(text: string, width: number, style: Style): Line[] {
    return linesOf(text, width, style, (part, font, size) => this.document.font(font, size).widthOfString(part));
  }

  widthOf(text: string, style: Style): number {
    return Math.max(0, ...this.lines(text, Number.MAX_SAFE_INTEGER, style).map(({ width }) => width));
  }

  draw(
    lines: readonly Line[],
    { x, y, width, align = 'left', colour = BLACK, size }: Written & { x: number; y: number; width: number },
  ): number {
    this.document.fillColor(colour);
    lines.forEach((line, n) => {
      let from = align === 'left' ? x : x + width - line.width;
      const baseline = y + n * heightOf(size) + size;
      for (const run of line.runs) {
        this.document.font(run.font, size).text(run.text, from, baseline, { lineBreak: false, baseline: 'alphabetic' });
        from += run.width;
      }
    });
    return y + lines.length * heightOf(size);
  }

  rule(
    y: number,
    thickness: number,
    { x = this.left, width = this.width, colour = BLACK }: { x?: number; width?: number; colour?: string } = {},
  ): void {
    this.document
      .lineWidth(thickness)
      .strokeColor(colour)
      .moveTo(x, y)
      .lineTo(x + width, y)
      .stroke();
  }

  box(x: number, y: number, width: number, height: number, { colour, line }: { colour: string; line: number }): void {
    this.document.lineWidth(line).strokeColor(colour).roundedRect(x, y, width, height, 4).stroke();
  }

  /** At the foot of each page, once all are there. */
  numberPages(text: (page: number, of: number) => string, style: Style & { colour?: string }): void {
    const { start, count } = this.document.bufferedPageRange();
    for (let n = 0; n < count; n += 1) {
      this.document.switchToPage(start + n);
      this.write(text(n + 1, count), { ...style, y: this.document.page.height - MARGIN });
    }
  }
}

/** Of a line of text. */
export const heightOf = (size: number): number => size * 1.35;
