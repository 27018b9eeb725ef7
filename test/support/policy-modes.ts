import { type Clinic, openClinic } from './clinic.js';
import { type PolicyMode, type Service, startService } from './service.js';

const ALL = ['api', 'projector', 'both'] as const;

/** `both`, the way it runs unless told otherwise, is how every other spec runs; whatever one of the two leaves out shows with it alone. */
const ALONE = ['api', 'projector'] as const;

type Flows = (clinic: () => Clinic, policies: PolicyMode) => void;

/** The same flows with policies carried out by the API alone and by the projector alone: what comes out is the same. With SOAK=1 in every mode. */
export const inEachPolicyMode = (flows: Flows): void => inModes(ALONE, flows);

/** Flows whose policies the tests of failpoints carry out in the API alone: here by the projector alone, with SOAK=1 in every mode. */
export const withProjectorAlone = (flows: Flows): void => inModes(['projector'], flows);

const inModes = (modes: readonly PolicyMode[], flows: Flows): void =>
  describe.each(process.env.SOAK ? ALL : modes)('with policies carried out by: %s', (policies) => {
    let service: Service;
    let clinic: Clinic;
    beforeAll(async () => {
      service = await startService({ policies });
      clinic = await openClinic(service);
    });
    afterAll(() => service?.stop());
    flows(() => clinic, policies);
  });
