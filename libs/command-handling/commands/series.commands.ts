import { assertRemembered, client } from '../../domain/client/client.js';
import { localDateOf, plusMinutes } from '../../domain/kernel/calendar.js';
import type { Recorded } from '../../domain/kernel/event.js';
import { idFor } from '../../domain/kernel/ids.js';
import { withTaxes } from '../../domain/kernel/money.js';
import { pick } from '../../domain/kernel/pick.js';
import { InvalidInput, NotFound, Refusal } from '../../domain/kernel/refusal.js';
import type { Charge } from '../../domain/kernel/shapes.js';
import { shareOut, takeSeries } from '../../domain/package/series-sessions.js';
import type { PackageEvent } from '../../domain/package/package.events.js';
import { packageAggregate, placesOf, type PackageState } from '../../domain/package/package.state.js';
import { assertGives, provider } from '../../domain/provider/provider.js';
import { planSeries, series, type SeriesState } from '../../domain/series/series.js';
import type { Occurrence, SeriesPlan } from '../../domain/series/series.events.js';
import { startsOf, type RepeatRule } from '../../domain/series/starts.js';
import { assertBookable, service } from '../../domain/service/service.js';
import { CommandOf } from '../command.js';
import { handlerOf } from '../handler.js';
import { assertMayManageFor, mayUse } from '../linked-clients.js';
import { reference, type Operation } from '../operation.js';
import { assertNotPast, type SessionUse } from './changing.js';

export const MOST_IN_A_SERIES = 200;

export interface SeriesInput {
  clientId: string;
  serviceId: string;
  providerId: string;
  packageId: string | null; // null: all at the regular fee
  durationMinutes: number | null; // null: as long as the service takes
  rule: RepeatRule | null;
  starts: string[] | null; // instants, in place of a rule
  onShortage: 'regularFee' | 'refuse';
  externalReference: string | null;
}

export interface PlannedAppointment {
  start: string;
  end: string;
  on: string;
  packageId: string | null; // null: at the regular fee
  shortage: string | null; // why the package gives no session for it
  charge: Charge;
  session: SessionUse | null;
}

type BookedInSeries = PlannedAppointment & { appointmentId: string; invoiceId: string; consumptionId: string | null };

/** E5: which is which, before anything is booked. */
export class PreviewSeries extends CommandOf<SeriesInput, { items: PlannedAppointment[] }> {}
/** E5: the whole series, or none of it. */
export class BookSeries extends CommandOf<SeriesInput, { seriesId: string; items: BookedInSeries[] }> {}

/** Of plans that somebody who books from the package at the same moment may upset. */
const MAX_PLANS = 5;

export const seriesHandlers = [
  handlerOf(
    PreviewSeries,
    async (operation, input) => {
      const { plan, taken, after } = await planned(operation, input, operation.id('series'));
      return { items: plan.occurrences.map((occurrence) => itemOf(plan, occurrence, taken, after)) };
    },
    { anew: true },
  ),

  handlerOf(BookSeries, async (operation, input) => {
    for (let n = 0; n < MAX_PLANS; n += 1) {
      const seriesId = operation.id('series', n);
      if (!(await operation.recall(series, seriesId, () => undefined))) await begin(operation, input, seriesId);
      const state = await decided(operation, seriesId);
      if (state.status !== 'none' && state.status !== 'refused') return booked(operation, state.plan);
    }
    throw new Refusal('SERIES_OVERTAKEN', 'Others book from this package at the same moment: nothing was booked. Send it again.', {
      packageId: input.packageId,
    });
  }),
];

/** Once the package has given its sessions, or has refused, whoever carries out policies. */
const decided = async (operation: Operation, seriesId: string): Promise<SeriesState> => {
  const state = await operation.newest(series, seriesId);
  if (state.status !== 'planned') return state;
  await operation.settled(series, seriesId, { such: ({ type }) => type === 'SeriesPlanned' });
  return operation.newest(series, seriesId);
};

const begin = async (operation: Operation, input: SeriesInput, seriesId: string): Promise<void> => {
  const { plan, before } = await planned(operation, input, seriesId);
  const short = plan.occurrences.filter(({ shortage }) => shortage !== null);
  if (input.onShortage === 'refuse' && short.length > 0)
    throw new Refusal('SERIES_SHORT', `The package has no session for ${short.length} of these dates: nothing was booked.`, {
      dates: short.map((occurrence) => pick(occurrence, 'start', 'on', 'shortage')),
    });
  takeSeries(plan)(before); // may be too large for one append: then nothing has begun
  await operation.decide(series, seriesId, planSeries(plan), { begins: true });
};

/** The package as it is now, shared out over the dates. */
const planned = async (operation: Operation, input: SeriesInput, seriesId: string) => {
  const whole = await wholePlan(operation, input, seriesId);
  const before: PackageState = input.packageId === null ? { status: 'unsold' } : await operation.newest(packageAggregate, input.packageId);
  if (input.packageId !== null && before.status === 'unsold') throw new NotFound('package', input.packageId);
  return { ...shareOut(whole, before), before };
};

/** As if the package had a session for each. */
const wholePlan = async (operation: Operation, input: SeriesInput, seriesId: string): Promise<SeriesPlan> => {
  const { clientId, serviceId, providerId, packageId, externalReference } = input;
  await assertMayManageFor(operation, clientId);
  const { timeZone, today } = await operation.business();
  const [whose, described, giver] = await operation.lookUp(
    reference(client, '/clientId', clientId),
    reference(service, '/serviceId', serviceId),
    reference(provider, '/providerId', providerId),
  );
  assertRemembered(whose);
  assertBookable(described, operation.caller.actor.role === 'client');
  assertGives(giver, serviceId);
  const taxes = await operation.taxes(described.taxIds);
  const minutes = input.durationMinutes ?? described.durationMinutes;
  return {
    ...{ seriesId, clientId, packageId, serviceId, serviceName: described.name, providerId, timeZone, externalReference },
    ...{ plannedOn: today, regular: withTaxes(described.price, taxes), taxes: taxes.map((tax) => pick(tax, 'taxId', 'name', 'rate')) },
    shared: packageId !== null && (await mayUse(operation, packageId, clientId)),
    occurrences: startsIn(operation, input, timeZone).map((start, n) => ({
      ...{ start, end: plusMinutes(start, minutes), on: localDateOf(start, timeZone), shortage: null },
      ...{ appointmentId: idFor(seriesId, 'appointment', n), invoiceId: idFor(seriesId, 'invoice', n) },
      consumptionId: packageId === null ? null : idFor(seriesId, 'consumption', n),
    })),
  };
};

const startsIn = (operation: Operation, { rule, starts }: SeriesInput, timeZone: string): string[] => {
  const all = rule ? startsOf(rule, timeZone, MOST_IN_A_SERIES) : (starts ?? []).toSorted();
  if (all.length === 0 || all.length > MOST_IN_A_SERIES) {
    const message = `A series has 1 to ${MOST_IN_A_SERIES} appointments.`;
    throw new InvalidInput([{ field: rule ? '/rule' : '/starts', code: 'NOT_A_SERIES', message }]);
  }
  assertNotPast(operation, all[0]!);
  return all;
};

type Consumed = Extract<PackageEvent, { type: 'SessionConsumed' }>;

const itemOf = (plan: SeriesPlan, occurrence: Occurrence, taken: readonly Consumed[], after: PackageState): PlannedAppointment => {
  const { start, end, on, shortage, consumptionId } = occurrence;
  const session = taken.find(({ data }) => data.consumptionId === consumptionId)?.data;
  if (!session) return { start, end, on, shortage, packageId: null, charge: plan.regular, session: null };
  const place = after.status === 'unsold' ? null : (placesOf(after).get(session.consumptionId) ?? null);
  return {
    start,
    end,
    on,
    shortage,
    ...pick(session, 'packageId', 'charge'),
    session: { ...pick(session, 'remaining', 'expiresOn'), place },
  };
};

/** The answer says how it was when the package had given its sessions, whenever it is asked for. */
const booked = async (operation: Operation, plan: SeriesPlan): Promise<{ seriesId: string; items: BookedInSeries[] }> => {
  const { seriesId, packageId } = plan;
  const history = packageId === null ? [] : await operation.history(packageAggregate, packageId);
  const last = history.findIndex(({ type, data }) => type === 'SeriesTaken' && data.seriesId === seriesId);
  const until = history.slice(0, last + 1);
  const after = until.reduce<PackageState>(packageAggregate.evolve, structuredClone(packageAggregate.initial));
  const taken = until.filter(isOf(seriesId));
  return {
    seriesId,
    items: plan.occurrences.map((occurrence) => ({
      ...pick(occurrence, 'appointmentId', 'invoiceId', 'consumptionId'),
      ...itemOf(plan, occurrence, taken, after),
    })),
  };
};

const isOf =
  (seriesId: string) =>
  (event: Recorded<PackageEvent>): event is Recorded<Consumed> =>
    event.type === 'SessionConsumed' && event.data.seriesId === seriesId;
