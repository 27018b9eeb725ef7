import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Which tests show which rule of docs/product.md: a test's name starts with the rule's number (`it('E6: …')`).
// Writes docs/rules.md; with --check it only compares, and fails if the page is out of date.
// Either way it fails when a finished rule, or a case that the product asks for by name under one, has no test.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const PAGE = 'docs/rules.md';
const TESTED = ['apps', 'libs', 'projections', 'test'];

/** Rules that are built whole. From then on they never go without a test. */
const FINISHED = [
  ...[
    'A1',
    'A3',
    'A4',
    'B1',
    'B2',
    'C1',
    'C2',
    'C3',
    'C4',
    'C6',
    'C7',
    'C8',
    'C9',
    'D1',
    'D3',
    'D4',
    'D5',
    'E1',
    'E2',
    'E3',
    'E4',
    'E5',
    'E6',
    'E7',
    'E8',
    'E9',
    'F1',
    'F2',
    'F3',
    'H1',
    'H2',
    'H3',
    'H4',
    'H5',
    'H6',
    'H7',
  ],
  ...['C5', 'D2', 'I1', 'I2', 'I3', 'I4', 'I5'],
  ...['G1', 'G2', 'G3', 'G4', 'G5', 'J1', 'J2', 'J3', 'J4', 'J5', 'K1', 'K2', 'K3', 'K4', 'L2', 'L3', 'L7'],
];

const NUMBER = '[A-L]\\d{1,2}';
const product = readFileSync(join(root, 'docs/product.md'), 'utf8');

const sections = [...product.matchAll(/^## ([A-L])\. (.+)$/gm)].map(([, letter, title]) => ({ letter, title }));
const rules = [...product.matchAll(new RegExp(`^- (${NUMBER})\\. (.+)$`, 'gm'))].map(([, number, text]) => ({
  number,
  text: startOf(text),
}));
const cases = [...product.slice(product.indexOf('\n## Cases')).matchAll(new RegExp(`\`(${NUMBER}: [^\`]+)\``, 'g'))].map(
  ([, name]) => name,
);
const tests = TESTED.flatMap(specsIn).flatMap(testsIn);

function startOf(text) {
  const sentence = text.split(/(?<=[.:;]) /)[0].replace(/[.:;]$/, '');
  return sentence.length > 140 ? `${sentence.slice(0, 140).replace(/ \S*$/, '')} …` : sentence;
}

function specsIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((file) => file.endsWith('.spec.ts'))
    .map((file) => join(folder, file).replaceAll('\\', '/'))
    .sort();
}

/** Every call whose first argument is a text that starts with rules' numbers: it(…), it.each(…)(…), describe(…). */
function testsIn(file) {
  const named = new RegExp(`\\(\\s*(['"\`])(${NUMBER}(?:(?:, | and |/)${NUMBER})*): ((?:\\\\.|(?!\\1)[^\\\\])*)\\1`, 'g');
  return [...readFileSync(join(root, file), 'utf8').matchAll(named)].map(([, , numbers, rest]) => ({
    file,
    numbers: numbers.match(new RegExp(NUMBER, 'g')),
    name: `${numbers}: ${rest.replace(/\\(.)/g, '$1')}`,
  }));
}

const showing = (number) => tests.filter(({ numbers }) => numbers.includes(number));
const isShown = (name) => tests.some((test) => test.name === name);

const lineOf = ({ name, file }) => `- ${name} · [${file.split('/').at(-1)}](../${file})`;

const page = [
  '# The rules and the tests that show them',
  '',
  'Written by `npm run rules` from the names of the tests. The rules themselves are in [product.md](product.md).',
  ...sections.flatMap(({ letter, title }) => [
    '',
    `## ${letter}. ${title}`,
    ...rules
      .filter(({ number }) => number.startsWith(letter))
      .flatMap(({ number, text }) => {
        const shown = showing(number);
        return ['', `**${number}** ${text}`, '', ...(shown.length > 0 ? shown.map(lineOf) : ['- no test yet'])];
      }),
  ]),
  '',
  '## Cases that the product asks for by name',
  '',
  ...cases.map((name) => `- [${isShown(name) ? 'x' : ' '}] ${name}`),
  '',
].join('\n');

const problems = [
  ...FINISHED.filter((number) => showing(number).length === 0).map((number) => `${number} is finished and has no test.`),
  ...cases
    .filter((name) => FINISHED.includes(name.split(':')[0]) && !isShown(name))
    .map((name) => `"${name}" is a case of a finished rule and has no test.`),
  ...tests
    .flatMap(({ numbers, file }) => numbers.map((number) => ({ number, file })))
    .filter(({ number }) => !rules.some((rule) => rule.number === number))
    .map(({ number, file }) => `${file} names ${number}, which is no rule of docs/product.md.`),
];

if (process.argv.includes('--check')) {
  if (current() !== page) problems.push(`${PAGE} is out of date: npm run rules`);
} else {
  writeFileSync(join(root, PAGE), page);
}

function current() {
  try {
    return readFileSync(join(root, PAGE), 'utf8');
  } catch {
    return undefined;
  }
}

for (const problem of problems) console.error(problem);
const shownRules = rules.filter(({ number }) => showing(number).length > 0).length;
console.log(`${shownRules} of ${rules.length} rules and ${cases.filter(isShown).length} of ${cases.length} named cases have tests.`);
process.exitCode = problems.length > 0 ? 1 : 0;
