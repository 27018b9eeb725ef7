import type { BusinessCreated, BusinessSettingsChanged } from '../libs/domain/business/business.events.js';
import type { EventOf, Recorded } from '../libs/domain/kernel/event.js';
import { column, defineProjection, upsert } from '../libs/projection-engine/define-projection.js';

type Settings = EventOf<typeof BusinessCreated | typeof BusinessSettingsChanged>;
interface Account {
  account: string;
  since: string;
}

/** A1, H6: every connected account that a business has or had: what was paid there can be refunded there, or disputed, for ever. */
export const stripeAccounts = defineProjection({
  name: 'stripe_accounts',
  version: 1,
  key: 'account',
  columns: {
    account: column.text(),
    since: column.instant(),
  },
}).on<Settings>({
  BusinessCreated: upsert(accountOf, first),
  BusinessSettingsChanged: upsert(accountOf, first),
});

function accountOf({ data }: Recorded<Settings>): string | null {
  return data.settings.stripeAccount;
}

function first(row: Account | undefined, { data, metadata }: Recorded<Settings>): Account {
  return row ?? { account: data.settings.stripeAccount!, since: metadata.time };
}
