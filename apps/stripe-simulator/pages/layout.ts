import { createHash } from 'node:crypto';
import { fromStripe } from '../../../libs/domain/purchase/card-amounts.js';
import { Markup, markup } from '../../../libs/printing/markup.js';
import { amountsIn } from '../../../libs/printing/wording.js';

export const LABEL = 'Simulated: no card is charged, no money moves';

const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f6f7f9; color: #1a1a1a; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.label { margin: 0; padding: 0.6rem 1rem; background: #8a4b00; color: #fff; font-weight: 600; text-align: center; }
main { max-width: 30rem; margin: 0 auto; padding: 1rem; }
main.wide { max-width: 60rem; }
h1 { font-size: 1.3rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
.amount { font-size: 2rem; font-weight: 700; margin: 0.25rem 0 1rem; }
.card { background: #fff; border: 1px solid #d5d8dd; border-radius: 0.5rem; padding: 1rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
.said { border-left: 0.3rem solid #b00020; padding: 0.5rem 0.75rem; background: #fff; margin: 0 0 1rem; }
.muted { color: #555; font-size: 0.9rem; margin: 0.25rem 0; }
form { margin: 0.6rem 0 0; }
button { width: 100%; min-height: 3rem; padding: 0.5rem 1rem; font: inherit; font-weight: 600; border: 1px solid #333; border-radius: 0.4rem; background: #fff; color: #1a1a1a; cursor: pointer; }
button.first { background: #1b4fd1; border-color: #1b4fd1; color: #fff; }
.card form { display: inline-flex; gap: 0.4rem; margin-right: 0.4rem; }
.card form button, .card input { width: auto; min-height: 2.75rem; font-size: 0.95rem; }
input { font: inherit; padding: 0 0.5rem; width: 8rem; border: 1px solid #333; border-radius: 0.4rem; }
ul { margin: 0.5rem 0; padding-left: 1.2rem; }
`;

export interface Page {
  title: string;
  content: Markup;
  isWide?: boolean;
}

/** A page of the simulator: its label on top, no script, nothing that is loaded. */
export const pageOf = ({ title, content, isWide = false }: Page): string =>
  markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} (simulated)</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<p class="label" role="note">${LABEL}</p>
<main${isWide ? markup` class="wide"` : markup``}>
${content}
</main>
</body>
</html>
`.text;

/** Forms may lead back to the business's own site: where they lead is no part of the policy. */
export const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A button that does something. */
export const button = (action: string, text: string, isFirst = false): Markup =>
  markup`<form method="post" action="${action}"><button${isFirst ? markup` class="first"` : markup``}>${text}</button></form>
`;

/** As people read it: "CAD 420.00". */
export const amountOf = (amount: number, stripesCurrency: string): string => {
  const money = fromStripe(amount, stripesCurrency);
  return amountsIn(money.currency).full(money.amount).replaceAll('\u00a0', ' ');
};
