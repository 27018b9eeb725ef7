import type { AppointmentEvent } from '../appointment/appointment.events.js';
import { cancelAgain, noShowAgain } from '../appointment/appointment.decisions.js';
import { appointment, type AppointmentState } from '../appointment/appointment.state.js';
import { adjustToZero, reissueToStand, undoAdjustment } from '../invoice/invoice.decisions.js';
import { invoice } from '../invoice/invoice.state.js';
import type { Decide } from '../kernel/event.js';
import type { InvoiceContent } from '../kernel/shapes.js';
import { forfeitSession, returnSession } from '../package/package.decisions.js';
import { packageAggregate } from '../package/package.state.js';
import { change, definePolicy, type PolicyCommand } from './policy.js';

/** An appointment that does not take place: its session and its invoice follow (H1, H2, E9). */
export const ending = definePolicy<AppointmentEvent>('ending', {
  AppointmentCancelled: ({ data }) => [
    ...session({ ...data, returned: 'cancelled', forfeited: 'lateCancellation' }),
    ...(data.outcome === 'returned' ? [change(invoice, data.invoiceId, { decide: adjustToZero({ ...data, because: 'cancelled' }) })] : []),
  ],
  AppointmentMarkedNoShow: ({ data }) => [
    ...session({ ...data, returned: 'noShow', forfeited: 'noShow' }),
    ...(data.outcome === 'returned' ? [change(invoice, data.invoiceId, { decide: adjustToZero({ ...data, because: 'noShow' }) })] : []),
  ],
  NoShowUndone: ({ data }) => invoiceStandsAgain(data, noShowAgain),
  AppointmentRebooked: ({ data }) => invoiceStandsAgain(data, cancelAgain),
});

interface StandsAgain {
  appointmentId: string;
  invoiceId: string;
  outcome: 'returned' | 'forfeited'; // of the session that it had
  invoice: InvoiceContent | null;
}

/** E9: as it was, or at the regular fee; had it been paid at the same moment, that stays credit, and the appointment is ended again. */
const invoiceStandsAgain = (
  { appointmentId, invoiceId, outcome, invoice: content }: StandsAgain,
  endAgain: (appointmentId: string, endedOn: string) => Decide<AppointmentState, AppointmentEvent>,
): PolicyCommand[] => {
  if (content) {
    const ended = change(appointment, appointmentId, { decide: endAgain(appointmentId, content.issuedOn) });
    return [change(invoice, invoiceId, { decide: reissueToStand(content), refused: () => [ended] })];
  }
  return outcome === 'returned' ? [change(invoice, invoiceId, { decide: undoAdjustment(invoiceId) })] : [];
};

interface Ended {
  packageId: string | null;
  consumptionId: string | null;
  outcome: 'returned' | 'forfeited';
  endedOn: string; // local date of the business
  returned: 'cancelled' | 'noShow';
  forfeited: 'lateCancellation' | 'noShow';
}

const session = ({ packageId, consumptionId, outcome, endedOn, returned, forfeited }: Ended): PolicyCommand[] => {
  if (packageId === null || consumptionId === null) return [];
  const decide =
    outcome === 'returned'
      ? returnSession({ packageId, consumptionId, because: returned, today: endedOn })
      : forfeitSession({ packageId, consumptionId, because: forfeited });
  return [change(packageAggregate, packageId, { decide })];
};
