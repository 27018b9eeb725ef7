import { invalid } from './failure.js';

export type Form = string | Form[] | { [name: string]: Form };

const DEEPEST = 8;
const MOST = 1_000; // parameters

/** Parameters as Stripe takes them, `line_items[0][price_data][currency]=cad`, in a body or behind a question mark. */
export const readForm = (text: string): { [name: string]: Form } => {
  const root: Node = new Map();
  const pairs = [...new URLSearchParams(text)];
  if (pairs.length > MOST) throw invalid('There are too many parameters.');
  for (const [name, value] of pairs) put(root, partsOf(name), value);
  return objectOf(root);
};

type Node = Map<string, Node | string>;

const partsOf = (name: string): string[] => {
  const [, first, rest] = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name) ?? [];
  const parts = first === undefined ? [] : [first, ...(rest!.match(/[^[\]]+|(?<=\[)(?=\])/g) ?? [])];
  if (parts.length === 0 || parts.length > DEEPEST) throw invalid(`Invalid parameter name: ${name}`, name);
  return parts;
};

const put = (into: Node, [part, ...rest]: string[], value: string): void => {
  const name = part === '' ? String(into.size) : part!;
  if (rest.length === 0) return void into.set(name, value);
  const next = into.get(name);
  const node = next instanceof Map ? next : (new Map() as Node);
  into.set(name, node);
  put(node, rest, value);
};

const formOf = (node: Node | string): Form => {
  if (typeof node === 'string') return node;
  const isList = [...node.keys()].every((name, n) => name === String(n));
  return isList ? [...node.values()].map(formOf) : objectOf(node);
};

const objectOf = (node: Node): { [name: string]: Form } => Object.fromEntries([...node].map(([name, value]) => [name, formOf(value)]));
