import type Stripe from 'stripe';
import type { Simulator } from './simulator.js';
import { newId } from './state/ids.js';

const ANSWER_WITHIN = 7 * 24 * 3600; // s

/** The card's owner goes to the bank. Nothing, if that happened before. */
export const openDispute = ({ state, emit, now }: Simulator, account: string, charge: Stripe.Charge): void => {
  if (charge.disputed || charge.status !== 'succeeded') return;
  state.charges.put(account, { ...charge, disputed: true });
  emit(account, 'charge.dispute.created', state.disputes.put(account, newDispute(charge, now())));
};

/** The business has sent evidence. */
export const answerDispute = ({ state, emit }: Simulator, account: string, dispute: Stripe.Dispute): void => {
  if (dispute.status !== 'needs_response') return;
  const details = { ...dispute.evidence_details, has_evidence: true, submission_count: 1 };
  emit(account, 'charge.dispute.updated', state.disputes.put(account, { ...dispute, status: 'under_review', evidence_details: details }));
};

/** The bank has decided. That there was a dispute stays noted on the charge either way. */
export const closeDispute = ({ state, emit }: Simulator, account: string, dispute: Stripe.Dispute, outcome: 'won' | 'lost'): void => {
  if (isClosed(dispute)) return;
  emit(account, 'charge.dispute.closed', state.disputes.put(account, { ...dispute, status: outcome, is_charge_refundable: false }));
};

export const isClosed = ({ status }: Stripe.Dispute): boolean => status === 'won' || status === 'lost';

const newDispute = (charge: Stripe.Charge, created: number) =>
  ({
    ...{ id: newId('du_1'), object: 'dispute', amount: charge.amount, currency: charge.currency, created, livemode: false },
    ...{ charge: charge.id, payment_intent: charge.payment_intent, status: 'needs_response', reason: 'product_not_received' },
    ...{ balance_transactions: [], enhanced_eligibility_types: [], intended_submission_method: null, is_charge_refundable: false },
    ...{ metadata: {}, network_reason_code: '13.1', evidence: noEvidence },
    evidence_details: {
      ...{ due_by: created + ANSWER_WITHIN, enhanced_eligibility: {}, has_evidence: false, past_due: false, submission_count: 0 },
      submission_method: 'manual',
    },
  }) satisfies Stripe.Dispute;

const noEvidence = {
  ...{ access_activity_log: null, billing_address: null, cancellation_policy: null, cancellation_policy_disclosure: null },
  ...{ cancellation_rebuttal: null, customer_communication: null, customer_email_address: null, customer_name: null },
  ...{ customer_purchase_ip: null, customer_signature: null, duplicate_charge_documentation: null, duplicate_charge_explanation: null },
  ...{ duplicate_charge_id: null, enhanced_evidence: {}, product_description: null, receipt: null, refund_policy: null },
  ...{ refund_policy_disclosure: null, refund_refusal_explanation: null, service_date: null, service_documentation: null },
  ...{ shipping_address: null, shipping_carrier: null, shipping_date: null, shipping_documentation: null, shipping_tracking_number: null },
  ...{ uncategorized_file: null, uncategorized_text: null },
} satisfies Stripe.Dispute.Evidence;
