import type { Caller } from '../support/caller.js';
import { openClinic, type Clinic, type Page, type Sold } from '../support/clinic.js';
import { csvOf, importOf } from '../support/moving-in.js';
import { startService, type Service } from '../support/service.js';

let service: Service;
let clinic: Clinic;
beforeAll(async () => {
  service = await startService({ apis: 2 });
  clinic = await openClinic(service);
});
afterAll(() => service?.stop());

type Listed = Sold & { imported: object | null; channel: string; externalReference: string | null };

const packagesOf = async (caller: Caller, clientId: string) => (await caller.get<Page<Listed>>(`/v1/packages?clientId=${clientId}`)).items;

describe('moving packages in', () => {
  it('L7: a row becomes a package with what is left of it, its offering is locked, its invoice is for tracking', async () => {
    const { owner } = clinic;
    const offeringId = await clinic.offering({ name: 'Ten massages', services: [{ serviceId: clinic.has.massage, limit: 10 }] });
    const clientId = await clinic.client('Anna Tremblay');
    const row = {
      reference: 'mb-1',
      offering: 'Ten massages',
      client: clientId,
      remaining: 4,
      soldOn: clinic.day(-100),
      amountPaid: '450.00',
    };
    expect(await importOf(owner, csvOf([row]))).toMatchObject({ status: 'completed', rows: 1, imported: 1, skipped: 0, failed: 0 });

    const [listed] = await packagesOf(owner, clientId);
    expect(listed).toMatchObject({
      ...{ offeringId, channel: 'import', soldOn: clinic.day(-100), externalReference: 'mb-1', remaining: 4, total: 0 },
      services: [{ limit: 10, remaining: 4, adjustments: -6, used: 0 }],
      imported: { source: 'import', reference: 'mb-1', amountPaid: clinic.money(45_000) },
    });
    expect(await owner.get(`/v1/offerings/${offeringId}`)).toMatchObject({ locked: true, sold: 1 });
    expect(await clinic.invoice(listed!)).toMatchObject({ total: 0, balance: 0, lines: [{ description: 'Ten massages' }] });
    expect(await clinic.book(listed!)).toMatchObject({ session: { remaining: 3, place: 'Session 1 of 4' } });
  });
});
