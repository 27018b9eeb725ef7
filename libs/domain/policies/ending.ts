import type { AppointmentEvent } from '../appointment/appointment.events.js';
import { cancelAgain } from '../appointment/appointment.decisions.js';
import { appointment } from '../appointment/appointment.state.js';
import { adjustToZero, reissueToStand, undoAdjustment } from '../invoice/invoice.decisions.js';
import { invoice } from '../invoice/invoice.state.js';
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
  NoShowUndone: ({ data }) =>
    data.outcome === 'returned' ? [change(invoice, data.invoiceId, { decide: undoAdjustment(data.invoiceId) })] : [],
  AppointmentRebooked: ({ data }) => {
    if (data.invoice)
      return [
        change(invoice, data.invoiceId, { decide: reissueToStand(data.invoice), refused: () => [cancelledAgain(data, data.invoice!)] }),
      ];
    return data.outcome === 'returned' ? [change(invoice, data.invoiceId, { decide: undoAdjustment(data.invoiceId) })] : [];
  },
});

/** E9: what it had cost was paid at the same moment: it stays credit, and the appointment cancelled. */
const cancelledAgain = ({ appointmentId }: { appointmentId: string }, { issuedOn }: InvoiceContent): PolicyCommand =>
  change(appointment, appointmentId, { decide: cancelAgain(appointmentId, issuedOn) });

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
