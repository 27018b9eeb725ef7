import { hash } from 'node:crypto';
import { gst } from '../domain/testing/example.js';
import { htmlOf, policyFor } from './html.js';
import { invoicePage, receiptPage } from './printed-page.js';
import { PAPERS } from './style.js';
import { hostile, paid, toPrint } from './testing/example-print.js';

const rows = (html: string) => html.match(/<tr/g)?.length ?? 0;

describe('an invoice as HTML', () => {
  it('D3: whatever it is made of is escaped, wherever it stands', () => {
    const html = htmlOf(
      invoicePage(
        toPrint({
          ...{ business: hostile.script, client: hostile.script, number: hostile.script },
          package: { name: hostile.script, invoiceId: null, invoiceNumber: null },
          lines: [{ description: hostile.script, net: 1, taxes: [{ ...gst, name: hostile.script }] }],
          payments: [paid(1, { reference: hostile.script })],
        }),
      ),
    );
    expect(html).not.toMatch(/<script|<img|onerror=alert\(1\)>/);
    expect(html.match(/&#60;script&#62;alert\(&#34;1&#34;\)/g)?.length).toBeGreaterThan(8);
  });
  it.each([undefined, ...PAPERS])('D3: it may load nothing but the one style that stands in it: %s', (paper) => {
    const html = htmlOf(invoicePage(toPrint()), paper);
    const [, style] = /<style>(.*)<\/style>/s.exec(html)!;
    expect(policyFor(paper)).toContain(`style-src 'sha256-${hash('sha256', style!, 'base64')}'`);
    expect(policyFor(paper)).toContain("default-src 'none'");
    expect(html).not.toMatch(/<script|<link|<img|style="|\son\w+=|url\(|@import/);
    expect(style).toContain(`@page { size: ${paper ?? 'auto'};`);
  });
  it('D3: names are set apart, so that one written from the right turns nothing else', () =>
    expect(htmlOf(invoicePage(toPrint({ client: hostile.arabic })))).toContain(`<bdi>${hostile.arabic}</bdi>`));
  it('D3: a hundred lines stand under one head, which each page repeats', () => {
    const lines = Array.from({ length: 100 }, (_, n) => ({ description: `Massage ${n}`, net: 80_00, taxes: [gst] }));
    const html = htmlOf(invoicePage(toPrint({ lines })));
    expect(html.match(/<thead>/g)).toHaveLength(1);
    expect(rows(html)).toBe(1 + 100 + 4);
    expect(html).toMatch(/thead \{ display: table-header-group; \}/);
  });
  it("E4: the package's invoice is a link", () =>
    expect(htmlOf(invoicePage(toPrint({ package: { name: 'Relax', invoiceId: 'ip', invoiceNumber: '7' } })))).toContain(
      '<a href="../ip/invoice.html">7</a>',
    ));
  it('D2: a receipt has its payments above its lines, voided ones struck out', () => {
    const html = htmlOf(receiptPage(toPrint({ payments: [paid(300_00), paid(44_93, { voided: true })] })));
    expect(html.indexOf('class="movements"')).toBeLessThan(html.indexOf('class="lines"'));
    expect(html).toContain('<s>44.93</s>');
  });
  it('D3: tells readers its language, and of each head what it is the head of', () => {
    const html = htmlOf(invoicePage(toPrint({ payments: [paid(1)] })));
    expect(html).toContain('<html lang="en">');
    expect(html.match(/<th(?! scope="(col|row|rowgroup)")(?!ead)/g)).toBeNull();
    expect(html.match(/<table/g)?.length).toBe(html.match(/<caption>/g)?.length);
  });
});
