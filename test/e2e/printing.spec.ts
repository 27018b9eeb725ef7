import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { extractText } from 'unpdf';
import { openClinic, type Clinic } from '../support/clinic.js';
import { startService, type Service } from '../support/service.js';

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service, { name: 'Clinic & Söhne' });
});
afterAll(() => service?.stop());

type Page = 'invoice.html' | 'invoice.pdf' | 'receipt.html' | 'receipt.pdf';
const pages: Page[] = ['invoice.html', 'invoice.pdf', 'receipt.html', 'receipt.pdf'];
const addressOf = ({ invoiceId }: { invoiceId: string }, page: Page) => `/v1/invoices/${invoiceId}/${page}`;

/** As a browser reads it: no entities, no marks, one space between words. */
const shown = (html: string) =>
  html
    .replace(/<style>.*<\/style>/s, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/[\u2068\u2069]/g, '')
    .replaceAll(/\s+/g, ' ');

const html = async (invoice: { invoiceId: string }, page: Page = 'invoice.html') =>
  shown(await clinic.owner.get<string>(addressOf(invoice, page)));

/** The text of a PDF, whose bytes no text holds. */
const pdf = async (invoice: { invoiceId: string }, page: Page = 'invoice.pdf', query = '') => {
  const authorization = `Bearer ${await clinic.business.token('receptionist')}`;
  const answer = await fetch(`${service.urls[0]}${addressOf(invoice, page)}${query}`, {
    headers: { authorization, 'punchcard-min-position': String(clinic.business.seen.position) },
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const size = Buffer.from(bytes)
    .toString('latin1')
    .match(/\/MediaBox \[0 0 ([\d. ]+)\]/)?.[1];
  const { text } = await extractText(bytes, { mergePages: true });
  return { status: answer.status, headers: answer.headers, size, text: text.replaceAll(/\s+/g, ' ') };
};

describe('an invoice on paper', () => {
  it('D3, A4: of a sale, with its taxes by name and rate, as HTML and as PDF', async () => {
    const clientId = await clinic.client('Łucja "Żak" <Ωmega>');
    const sold = await clinic.sell({ name: 'Five for Łucja' }, { clientId });
    const { text, headers } = await pdf(sold);
    for (const said of [await html(sold), text]) {
      for (const part of [
        'Clinic & Söhne',
        'Łucja "Żak" <Ωmega>',
        'Five for Łucja',
        'GST 5% 15.00',
        'QST 9.975% 29.93',
        'Balance due CAD 344.93',
      ])
        expect(said).toContain(part);
      expect(said).toMatch(/GST 5% on 300\.00 15\.00 .*QST 9\.975% on 300\.00 29\.93 .*Total 344\.93/);
    }
    expect(headers.get('content-type')).toBe('application/pdf');
    expect(headers.get('content-disposition')).toMatch(/^inline; filename="invoice-[\w.-]+\.pdf"$/);
  });

  it("D3: with its number, and that of its package's invoice, once they have theirs", async () => {
    const sold = await clinic.sell();
    const booked = await clinic.book(sold);
    const numberOf = async ({ invoiceId }: { invoiceId: string }): Promise<string> => {
      const { number } = await clinic.owner.get<{ number: string | null }>(`/v1/invoices/${invoiceId}`);
      return number ?? sleep(50).then(() => numberOf({ invoiceId }));
    };
    const [ofPackage, ofAppointment] = [await numberOf(sold), await numberOf(booked)];
    for (const said of [await html(booked), (await pdf(booked)).text]) {
      expect(said).toContain(`Invoice number ${ofAppointment} `);
      expect(said).toContain(`Package's invoice ${ofPackage} `);
    }
  });

  it('D3: the HTML may load nothing and run nothing; its one style is known by its hash', async () => {
    const { body, headers } = await clinic.owner.send<string>('GET', addressOf(await clinic.sell(), 'invoice.html'));
    const [, style] = /<style>(.*)<\/style>/s.exec(body)!;
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('private, no-store');
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hash('sha256', style!, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });

  it('D3: on the paper that is asked for', async () => {
    const sold = await clinic.sell();
    expect([(await pdf(sold)).size, (await pdf(sold, 'invoice.pdf', '?paper=Letter')).size]).toEqual(['595.28 841.89', '612 792']);
    expect(await clinic.owner.get<string>(`${addressOf(sold, 'invoice.html')}?paper=Letter`)).toContain('@page { size: Letter;');
    const { errors } = await clinic.owner.refused(400, 'GET', `${addressOf(sold, 'invoice.pdf')}?paper=Foolscap&colour=red`);
    expect(errors?.map(({ field, in: where }) => [field, where])).toEqual(
      expect.arrayContaining([
        ['/paper', 'query'],
        ['/colour', 'query'],
      ]),
    );
  });

  it('D3: of a package that is paid each appointment it says that it is for tracking', async () => {
    const sold = await clinic.sell(clinic.eachAppointment());
    expect(await html(sold)).toContain('For tracking: nothing is charged on this invoice.');
  });

  it("E4: of an appointment: names the package, and links to the package's invoice", async () => {
    const sold = await clinic.sell({ ...clinic.eachAppointment(), name: 'Relax' });
    const booked = await clinic.book(sold);
    const page = await clinic.owner.get<string>(addressOf(booked, 'invoice.html'));
    expect(shown(page)).toMatch(/Appointment \d+ \w+ \d{4}, \d\d:\d\d Package Relax/);
    const [, link] = /<a href="([^"]+)">/.exec(page)!;
    const { pathname } = new URL(link!, `http://x${addressOf(booked, 'invoice.html')}`);
    expect(pathname).toBe(addressOf(sold, 'invoice.html'));
    expect((await pdf(booked)).text).toContain('Package Relax');
  });

  it('E9: of an appointment that did not take place nothing is owing', async () => {
    const booked = await clinic.bookWithout();
    await clinic.end(booked, 'cancel');
    expect(await html(booked)).toMatch(/Total 91\.98 Adjustments -91\.98 Balance due CAD 0\.00/);
  });

  it('A4: in yen and in dinars', async () => {
    for (const [currency, net, sum] of [
      ['JPY', '30,000', 'JPY 34,493'],
      ['KWD', '30.000', 'KWD 34.493'],
    ]) {
      const abroad = await openClinic(service, { currency });
      const said = shown(await abroad.owner.get<string>(addressOf(await abroad.sell(), 'invoice.html')));
      expect(said).toContain(`Net ${net} `);
      expect(said).toContain(`Balance due ${sum}`);
    }
  });
});

describe('a receipt', () => {
  const pay = (invoice: { invoiceId: string }, amount: number, method: string, reference?: string) =>
    clinic.owner.post<{ paymentId: string }>(`/v1/invoices/${invoice.invoiceId}/payments`, {
      amount: clinic.money(amount),
      method,
      reference,
    });

  it('D2: says what was received, and what is still owing; a voided payment stands there as voided', async () => {
    const sold = await clinic.sell({}, { payment: { amount: clinic.money(10_000), method: 'bankTransfer', reference: 'RF18 & more' } });
    expect(await html(sold, 'receipt.html')).toMatch(/Received CAD 100\.00 .*Bank transfer RF18 & more 100\.00 .*Balance due CAD 244\.93/);
    const { paymentId } = await pay(sold, 24_493, 'cash');
    for (const said of [await html(sold, 'receipt.html'), (await pdf(sold, 'receipt.pdf')).text])
      expect(said).toMatch(/Received CAD 344\.93 PAID .*Cash 244\.93 .*Paid -344\.93 Balance due CAD 0\.00/);
    await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/payments/${paymentId}/void`, { reason: 'A mistake' });
    const voided = await html(sold, 'receipt.html');
    expect(voided).toMatch(/Received CAD 100\.00 .*Cash \(voided\) 244\.93 .*Balance due CAD 244\.93/);
    expect(voided).not.toMatch(/PAID|A mistake/);
  });

  it('E9: what was paid for an appointment that did not take place is credit, until it is refunded', async () => {
    const booked = await clinic.bookWithout();
    await pay(booked, 9_198, 'cardTerminal');
    await clinic.end(booked, 'cancel');
    expect(await html(booked)).toMatch(
      /Credit CAD 91\.98 CREDIT .*Card terminal 91\.98 .*Adjustments -91\.98 Paid -91\.98 Credit CAD 91\.98/,
    );
    const refund = { amount: clinic.money(9_198), method: 'cash', outcome: 'outstandingBalance' };
    await clinic.owner.post(`/v1/invoices/${booked.invoiceId}/refunds`, refund);
    for (const said of [await html(booked), (await pdf(booked)).text])
      expect(said).toMatch(/REFUNDED .*Refund, cash -91\.98 .*Refunded 91\.98 Balance due CAD 0\.00/);
  });

  it('D2: there is none before something is paid', async () => {
    const sold = await clinic.sell();
    for (const page of ['receipt.html', 'receipt.pdf'] as const)
      expect(await clinic.owner.refused(409, 'GET', addressOf(sold, page))).toMatchObject({ code: 'NOTHING_PAID' });
  });
});

describe('who prints', () => {
  it.each(pages)('A2, A3: %s is for staff and auditors of that business alone', async (page) => {
    const address = addressOf(await clinic.sell(), page);
    const expected = page.startsWith('invoice') ? 200 : 409;
    for (const role of ['owner', 'administrator', 'receptionist', 'auditor'] as const)
      expect([role, (await (await clinic.as(role)).send('GET', address)).status]).toEqual([role, expected]);
    await (await clinic.as('client')).refused(403, 'GET', address);
    await clinic.business.anybody().refused(401, 'GET', address);
    const stranger = await (await openClinic(service)).as('owner');
    expect(await stranger.refused(404, 'GET', address)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await clinic.owner.refused(400, 'GET', address.replace(/[0-9a-f-]{36}/, 'no-id'))).toMatchObject({
      errors: [{ field: '/invoiceId', in: 'path' }],
    });
  });
});
