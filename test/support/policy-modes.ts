import { type Clinic, openClinic } from './clinic.js';
import { type Service, startService } from './service.js';

/** The same flows with policies carried out by the API alone, by the projector alone, and by both: what comes out is the same. */
export const inEachPolicyMode = (flows: (clinic: () => Clinic) => void): void =>
  describe.each(['api', 'projector', 'both'] as const)('with policies carried out by: %s', (policies) => {
    let service: Service;
    let clinic: Clinic;
    beforeAll(async () => {
      service = await startService({ policies });
      clinic = await openClinic(service);
    });
    afterAll(() => service?.stop());
    flows(() => clinic);
  });
