import { hash } from 'node:crypto';
import { Markup, markup, nothing } from './markup.js';
import {
  ENTRY_HEADS,
  LINE_HEADS,
  MOVEMENT_HEADS,
  type Fact,
  type Figure,
  type Movement,
  type PrintedEntry,
  type PrintedLine,
  type PrintedPage,
} from './printed-page.js';
import { styleFor, type Paper } from './style.js';

/** A page of its own: no script, nothing that is loaded, every text escaped. It prints on any paper unless one is asked for. */
export const htmlOf = (page: PrintedPage, paper?: Paper): string => {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${page.name}</title>
<style>${new Markup(styleFor(paper))}</style>
</head>
<body>
<main>
<header>
<p class="business"><bdi>${page.business}</bdi></p>
<h1>${page.title}</h1>
</header>
<section class="about">
<div>
<h2>${page.addressee.label}</h2>
<p class="client"><bdi>${page.addressee.value}</bdi></p>
</div>
<dl>
${page.facts.map(factOf)}
</dl>
</section>
<section class="headline">
<p>${page.headline.label} <strong>${page.headline.amount}</strong></p>
${page.stamp === null ? nothing : markup`<p class="stamp">${page.stamp}</p>`}
</section>
${page.note === null ? nothing : markup`<p class="note">${page.note}</p>`}
${page.tables.map((table) => TABLES[table](page))}
${page.totals.length === 0 ? nothing : totalsOf(page)}
<footer>${page.footer}</footer>
</main>
</body>
</html>
`.text;
};

/** What such a page may load: the one style that stands in it, known by its hash. */
export const policyFor = (paper?: Paper): string =>
  [
    "default-src 'none'",
    `style-src 'sha256-${hash('sha256', styleFor(paper), 'base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const factOf = ({ label, value, address }: Fact): Markup => markup`<dt>${label}</dt>
<dd>${address === undefined ? markup`<bdi>${value}</bdi>` : markup`<a href="${address}">${value}</a>`}</dd>
`;

const linesOf = ({ lines, captions }: PrintedPage): Markup => markup`<table class="lines">
<caption>${captions.lines}</caption>
<thead>
<tr>${LINE_HEADS.map((head) => headOf(head, head !== 'Description' && head !== 'Tax'))}</tr>
</thead>
${lines.map(lineOf)}</table>
`;

const headOf = (head: string, isAmount: boolean): Markup =>
  isAmount ? markup`<th scope="col" class="amount">${head}</th>` : markup`<th scope="col">${head}</th>`;

/** A group of rows for each line, one for each tax, which no page break divides. */
const lineOf = ({ description, net, taxes, total }: PrintedLine): Markup => {
  const rows = Math.max(taxes.length, 1);
  const [first, ...more] = taxes;
  return markup`<tbody>
<tr><th scope="rowgroup" rowspan="${rows}"><bdi>${description}</bdi></th><td rowspan="${rows}" class="amount">${net}</td>${taxOf(first)}<td rowspan="${rows}" class="amount">${total}</td></tr>
${more.map((tax) => markup`<tr>${taxOf(tax)}</tr>\n`)}</tbody>
`;
};

const taxOf = (tax: Figure | undefined): Markup =>
  tax === undefined
    ? markup`<td>none</td><td class="amount"></td>`
    : markup`<td><bdi>${tax.label}</bdi></td><td class="amount">${tax.amount}</td>`;

const movementsOf = ({ movements, captions }: PrintedPage): Markup => markup`<table class="movements">
<caption>${captions.movements}</caption>
<thead>
<tr>${MOVEMENT_HEADS.map((head) => headOf(head, head === 'Amount'))}</tr>
</thead>
<tbody>
${movements.map(movementOf)}</tbody>
</table>
`;

const movementOf = ({ on, what, reference, amount, voided }: Movement): Markup =>
  markup`<tr><td>${on}</td><td>${what}</td><td><bdi>${reference}</bdi></td><td class="amount">${voided ? markup`<s>${amount}</s>` : amount}</td></tr>
`;

const entriesOf = ({ entries, captions }: PrintedPage): Markup => markup`<table class="movements">
<caption>${captions.entries}</caption>
<thead>
<tr>${ENTRY_HEADS.map((head, n) => headOf(head, n >= 3))}</tr>
</thead>
<tbody>
${entries.map(entryOf)}</tbody>
</table>
`;

const entryOf = ({ on, what, service, effect, remaining, fee }: PrintedEntry): Markup =>
  markup`<tr><td>${on}</td><td><bdi>${what}</bdi></td><td><bdi>${service}</bdi></td><td class="amount">${effect}</td><td class="amount">${remaining}</td><td class="amount">${fee}</td></tr>
`;

const TABLES: Record<PrintedPage['tables'][number], (page: PrintedPage) => Markup> = {
  ...{ lines: linesOf, movements: movementsOf, entries: entriesOf },
};

const totalsOf = ({ totals, captions }: PrintedPage): Markup => markup`<table class="totals">
<caption>${captions.totals}</caption>
<tbody>
${totals.map(totalOf)}
</tbody>
</table>`;

const totalOf = ({
  label,
  amount,
  isSum,
}: Figure): Markup => markup`<tr${isSum ? markup` class="sum"` : nothing}><th scope="row"><bdi>${label}</bdi></th><td class="amount">${amount}</td></tr>
`;
