import { deliveries } from '../libs/domain/testing/deliveries.js';
import { clinic } from '../libs/domain/testing/example-catalogue.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { businessSettings, type BusinessRow } from './business-settings.projection.js';

it.each(deliveries)('A1: the settings as they are now, in one row, events delivered %s', (_, delivered) => {
  const settings = { ...clinic.settings, onNoShow: 'forfeited' as const, stripeAccount: 'acct_1' };
  const rows = fold(
    businessSettings,
    new Map<string, BusinessRow>(),
    delivered(
      recorded([
        { type: 'BusinessCreated', data: clinic },
        { type: 'BusinessSettingsChanged', data: { ...clinic, name: 'Spa' } },
        { type: 'BusinessSettingsChanged', data: { ...clinic, timeZone: 'Europe/Berlin', settings } },
      ]),
    ),
  );
  expect([...rows.values()]).toEqual([
    { id: clinic.businessId, name: 'Clinic', timeZone: 'Europe/Berlin', currency: 'CAD', settings, revision: 2n },
  ]);
});
