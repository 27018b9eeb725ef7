import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Which tests show which rule of docs/product.md: a test's name starts with the rule's number (`it('E6: …')`).
// Writes docs/rules.md; with --check it only compares, and fails if the page is out of date.
// Either way it fails when a rule, or a case that the product asks for by name, has no test.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const PAGE = 'docs/rules.md';
const TESTED = ['apps', 'libs', 'projections', 'test'];

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
  ...rules.filter(({ number }) => showing(number).length === 0).map(({ number }) => `${number} has no test.`),
  ...cases.filter((name) => !isShown(name)).map((name) => `"${name}" is a case that the product asks for, and has no test.`),
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
