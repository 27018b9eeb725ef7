import { type Clinic, openClinic } from './clinic.js';
import { type PolicyMode, type Service, startService } from './service.js';

/** `both`, the way it runs unless told otherwise, is how every other spec runs; whatever one of the two leaves out shows with it alone. */
const MODES = process.env.SOAK ? (['api', 'projector', 'both'] as const) : (['api', 'projector'] as const);

/** The same flows with policies carried out by the API alone and by the projector alone: what comes out is the same. */
export const inEachPolicyMode = (flows: (clinic: () => Clinic, policies: PolicyMode) => void): void =>
  describe.each(MODES)('with policies carried out by: %s', (policies) => {
    let service: Service;
    let clinic: Clinic;
    beforeAll(async () => {
      service = await startService({ policies });
      clinic = await openClinic(service);
    });
    afterAll(() => service?.stop());
    flows(() => clinic, policies);
  });
