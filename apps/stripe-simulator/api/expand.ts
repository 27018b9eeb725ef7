import type { State } from '../state/state.js';
import { invalid } from './failure.js';

const tableOf = (state: State, name: string) =>
  ({ payment_intent: state.paymentIntents, latest_charge: state.charges, charge: state.charges })[name];

/** The things that `expand` names instead of their ids: `payment_intent.latest_charge`, in lists `data.payment_intent`. */
export const expanded = (state: State, account: string, answer: object, paths: string[] = []): object =>
  paths.reduce((shown, path) => expandedAt(state, account, shown, path.split('.')), answer);

const expandedAt = (state: State, account: string, shown: object, [name, ...rest]: string[]): object => {
  if (name === undefined) return shown;
  const inside = (shown as Record<string, unknown>)[name];
  if (name === 'data' && Array.isArray(inside)) {
    const things = inside as object[];
    return { ...shown, data: things.map((thing) => expandedAt(state, account, thing, rest)) };
  }
  const table = tableOf(state, name);
  if (!table || inside === undefined) throw invalid(`This property cannot be expanded (${name}).`, 'expand');
  const thing = typeof inside === 'string' ? table.get(account, inside) : inside;
  if (thing === null || typeof thing !== 'object') return shown; // there is none yet
  return { ...shown, [name]: expandedAt(state, account, thing, rest) };
};
