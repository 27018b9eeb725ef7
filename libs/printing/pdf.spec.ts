import { extractText } from 'unpdf';
import { gst, qst } from '../domain/testing/example.js';
import { pdfOf } from './pdf.js';
import { invoicePage, receiptPage, type PrintedPage } from './printed-page.js';
import type { Paper } from './style.js';
import { hostile, paid, toPrint } from './testing/example-print.js';

/** The text of each page. */
const read = async (page: PrintedPage, paper?: Paper): Promise<string[]> =>
  (await extractText(new Uint8Array(await pdfOf(page, paper)))).text.map((text) => text.replaceAll('\u00a0', ' '));

describe('an invoice as a PDF', () => {
  it('D3, A4: says what the page says', async () => {
    const [text] = await read(invoicePage(toPrint({ payments: [paid(100_00, { reference: 'RF18' })] })));
    for (const said of [
      ...['Invoice', 'Clinic of the Lakes', 'Billed to', 'Anna Tremblay', '2027-12', '31 January 2027', 'Five massages', 'RF18'],
      ...['GST 5%', '15.00', 'QST 9.975%', '29.93', 'GST 5% on 300.00', '344.93', '-100.00', 'Balance due', 'CAD 244.93', 'Page 1 of 1'],
    ])
      expect(text).toContain(said);
  });
  it('D2: a receipt, stamped', async () => {
    const [text] = await read(receiptPage(toPrint({ payments: [paid(344_93)] })));
    expect(text).toMatch(/Receipt.*Received from.*Received.*CAD 344\.93.*PAID/s);
  });
  it('D3: the same page gives the same bytes', async () => {
    const page = invoicePage(toPrint());
    expect((await pdfOf(page)).equals(await pdfOf(page))).toBe(true);
  });
  it.each([
    ['A4', '595.28 841.89'],
    ['Letter', '612 792'],
  ] as const)('D3: on %s', async (paper, size) =>
    expect((await pdfOf(invoicePage(toPrint()), paper)).toString('latin1')).toContain(`/MediaBox [0 0 ${size}]`),
  );
  it('D3: a hundred lines go on over pages, each with the heads of the table and its number, and none is left out', async () => {
    const lines = Array.from({ length: 100 }, (_, n) => ({ description: `Massage no. ${n + 1};`, net: 80_00, taxes: [gst, qst] }));
    const pages = await read(invoicePage(toPrint({ lines })));
    expect(pages.length).toBeGreaterThan(2);
    pages.forEach((text, n) => expect(text).toContain(`Page ${n + 1} of ${pages.length}`));
    for (const text of pages.slice(0, -1)) expect(text).toContain('Tax amount');
    const all = pages.join('\n');
    for (let n = 1; n <= 100; n += 1) expect(all).toContain(`Massage no. ${n};`);
    expect(pages.at(-1)).toMatch(/Net.*GST 5% on 8,000\.00.*Balance due/s);
  });
  it('D3: with names of any alphabet, length or intent', async () => {
    const lines = Object.values(hostile).map((description) => ({ description, net: 1, taxes: [{ ...gst, name: description }] }));
    const [text] = await read(invoicePage(toPrint({ business: hostile.endless, client: hostile.hebrew, lines })));
    expect(text).toContain('<script>alert("1")</script>');
    expect(text!.replaceAll(/\s/g, '')).toContain(hostile.endless);
    for (const word of ['שלום', 'Shalom 24']) expect(text).toContain(word);
  });
});
