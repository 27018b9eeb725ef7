export const PAPERS = ['A4', 'Letter'] as const;
export type Paper = (typeof PAPERS)[number];

/** Black on white, with what a page break may not divide; on a screen it looks like the sheet that it will be. */
const SHEET = `
:root { color-scheme: light; }
* { box-sizing: border-box; margin: 0; padding: 0; }
body { background: #eceff1; color: #111; font: 400 10.5pt/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", Arial, sans-serif; }
main { max-width: 190mm; margin: 8mm auto; padding: 14mm 12mm; background: #fff; box-shadow: 0 1px 6px rgb(0 0 0 / 25%); }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 2mm 8mm; padding-bottom: 4mm; border-bottom: 2px solid #111; }
h1 { font-size: 20pt; font-weight: 600; line-height: 1.2; }
h2, dt, thead th, caption { font-size: 8.5pt; font-weight: 600; color: #444; }
.business { flex: 1 1 60%; font-size: 13pt; font-weight: 600; overflow-wrap: anywhere; }
.client { font-size: 12pt; font-weight: 600; }
.about { display: flex; flex-wrap: wrap; gap: 6mm; padding: 6mm 0; }
.about > div { flex: 1 1 60mm; min-width: 0; overflow-wrap: anywhere; }
dl { flex: 1 1 80mm; min-width: 0; display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.6mm 4mm; align-content: start; }
dt { padding-top: 0.6mm; }
dd { overflow-wrap: anywhere; }
a { color: inherit; }
.headline { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 3mm; padding: 3mm 4mm; border: 1px solid #999; border-radius: 2mm; break-inside: avoid; }
.headline strong { font-size: 14pt; margin-left: 2mm; white-space: nowrap; }
.stamp { padding: 0.6mm 4mm; border: 2px solid #1b5e20; border-radius: 1.5mm; color: #1b5e20; font-weight: 700; letter-spacing: 0.15em; }
.note { padding-top: 4mm; }
table { width: 100%; margin-top: 7mm; border-collapse: collapse; }
caption { padding-bottom: 1mm; text-align: left; break-after: avoid; }
thead { display: table-header-group; }
thead th { padding: 1mm 2mm; border-bottom: 1px solid #111; text-align: left; vertical-align: bottom; }
tbody th { font-weight: 400; text-align: left; overflow-wrap: anywhere; }
tbody th, td { padding: 1mm 2mm; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.lines tbody { break-inside: avoid; border-bottom: 1px solid #ccc; }
.lines tbody th { min-width: 45mm; }
.lines td:not(.amount) { overflow-wrap: anywhere; min-width: 24mm; }
.lines tr:not(:first-child) td { padding: 0 2mm 1mm; }
.movements tr { break-inside: avoid; }
.movements tbody tr { border-bottom: 1px solid #ccc; }
.movements td { overflow-wrap: anywhere; }
.movements td:first-child { white-space: nowrap; }
.amount { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
thead th.amount { text-align: right; }
.totals { width: 50%; min-width: 80mm; margin-left: auto; break-inside: avoid; }
.totals .sum th, .totals .sum td { border-top: 1px solid #111; font-weight: 700; }
footer { margin-top: 9mm; padding-top: 2mm; border-top: 1px solid #999; font-size: 8.5pt; color: #444; overflow-wrap: anywhere; }
@media print {
  body { background: #fff; font-size: 9.5pt; }
  main { max-width: none; margin: 0; padding: 0; box-shadow: none; }
  a { text-decoration: none; }
}
`;

const STYLES = new Map<Paper | undefined, string>(
  [undefined, ...PAPERS].map((paper) => [
    paper,
    `${SHEET}@page { size: ${paper ?? 'auto'}; margin: 16mm 15mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8.5pt system-ui, sans-serif; color: #444; } }\n`,
  ]),
);

/** The style of a page; without a paper it takes the printer's. */
export const styleFor = (paper?: Paper): string => STYLES.get(paper)!;
