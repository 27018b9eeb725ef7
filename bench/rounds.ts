import { median, type Measured } from './measured.js';

export type Subjects = Record<string, () => Promise<Measured>>;

/** Measures each subject once a round, in turns, so that whatever else the machine does falls on all alike. */
export async function inRounds(subjects: Subjects, rounds: number): Promise<Map<string, Measured[]>> {
  const results = new Map<string, Measured[]>(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = Object.entries(subjects);
    if (round % 2 === 1) order.reverse(); // so that none is always first
    for (const [name, subject] of order) {
      const measured = await subject();
      results.get(name)!.push(measured);
      console.log(`round ${round + 1} of ${rounds}: ${name} ${Math.round(measured.rate)}/s`);
    }
  }
  return results;
}

/** The median of the rounds' ratios: both sides of each were measured within seconds of each other. */
export const ratioOf = (results: Map<string, Measured[]>, of: string, to: string, times = 1): number =>
  median(results.get(of)!.map(({ rate }, round) => (rate * times) / results.get(to)![round]!.rate));

/** A line for each subject: the medians of its rounds. */
export function table(results: Map<string, Measured[]>): string {
  const cell = (numbers: number[], width: number, digits: number): string => median(numbers).toFixed(digits).padStart(width);
  const lines = [...results].map(([name, measured]) => {
    const of = (field: keyof Measured) => measured.map((one) => one[field]);
    return `${name.padEnd(34)}${cell(of('rate'), 12, 0)}${cell(of('p50'), 12, 2)}${cell(of('p99'), 12, 2)}`;
  });
  return [`${'median of the rounds'.padEnd(34)}  per second      p50 ms      p99 ms`, ...lines].join('\n');
}
