import { type Clinic, openClinic } from './clinic.js';
import { type PolicyMode, type Service, startService } from './service.js';

const ALL = ['api', 'projector', 'both'] as const;

type Flows = (clinic: () => Clinic, policies: PolicyMode) => void;

/**
 * Flows with their policies carried out by the projector alone: the tests of failpoints carry them out in the API alone, and `both`, the way it
 * runs unless told otherwise, is how every other spec runs. What comes out is the same; with SOAK=1 in every mode.
 */
export const withProjectorAlone = (flows: Flows): void =>
  describe.each(process.env.SOAK ? ALL : (['projector'] as const))('with policies carried out by: %s', (policies) => {
    let service: Service;
    let clinic: Clinic;
    beforeAll(async () => {
      service = await startService({ policies });
      clinic = await openClinic(service);
    });
    afterAll(() => service?.stop());
    flows(() => clinic, policies);
  });
