import type { Command } from 'commander';
import type { Poison } from '../../../libs/projection-engine/checkpoint.js';
import { type Building, readStatus, type Status } from '../../../libs/projection-engine/status.js';
import { storeFeed } from '../../../libs/projection-engine/store-feed.js';
import { withParts } from './parts.js';

export const addStatus = (program: Command): void => {
  program
    .command('status')
    .description('each projection with version, position, lag, rate and state, and who leads')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const status = await read();
      process.stdout.write(json ? `${JSON.stringify(status, undefined, 2)}\n` : table(status));
      if (status.projections.some(({ state }) => state === 'poisoned')) process.exitCode = 2;
    });
};

const noDecoding = { decode: () => Promise.reject(new Error('The status reads no content')) };

const read = (): Promise<Status> =>
  withParts(({ pool, eventStore }) => readStatus(pool, eventStore && storeFeed(eventStore.store, noDecoding, eventStore.url)));

function table({ leader, projections, skipped, verified, todo }: Status): string {
  const head = ['projection', 'version', 'position', 'lag', 'events/s', 'state'];
  const lines = projections.map(({ name, version, build, live, position, lag, rate, state, poison, building }) => [
    name,
    `${version}${build ? `, build ${build}` : ''}${live ? '' : ' (not live)'}`,
    position ?? '-',
    lag === null ? '?' : `${(lag / 1000).toFixed(1)} s`,
    String(rate),
    poison ? `${state}: ${poisonOf(poison)}` : building ? builtSoFar(building) : state,
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const text = [head, ...lines].map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  const led = leader
    ? `leader ${leader.name}, epoch ${leader.epoch}, since ${leader.since}, last heard ${(leader.silentFor / 1000).toFixed(1)} s ago`
    : 'no leader yet';
  const passedOver = skipped.map(
    ({ name, version, reason, skippedAt, ...poison }) =>
      `${name}, version ${version}, passes over ${poisonOf(poison)} (since ${skippedAt}: ${reason})`,
  );
  return `${[...text, ...passedOver, ...verifications(verified), led, `policies: ${todo.waiting} waiting, ${todo.parked} parked`].join('\n')}\n`;
}

/** What came of verifying them last; without anything to look at, in one line. */
const verifications = (verified: Status['verified']): string[] => {
  const amiss = verified.filter(({ differences, problem }) => differences > 0 || problem !== null);
  const oldest = verified.map(({ verifiedAt }) => verifiedAt).toSorted()[0];
  return [
    ...amiss.map(
      ({ name, differences, problem, verifiedAt }) => `${name}: ${problem ?? `${differences} differences from the events`} (${verifiedAt})`,
    ),
    oldest === undefined
      ? 'none was verified yet'
      : `${verified.length - amiss.length} of ${verified.length} that were verified are as the events say, none looked at before ${oldest}`,
  ];
};

const poisonOf = ({ type, stream, revision, eventId, error }: Poison): string =>
  `${type} ${stream}@${revision}, event ${eventId}: ${error}`;

const builtSoFar = ({ by, step, events, total, secondsLeft }: Building): string =>
  [
    `${step}: ${events} of ${total} events`,
    ...(secondsLeft === null ? [] : [`${secondsLeft} s to go`]),
    by === null ? 'stopped: the same command goes on' : `by ${by}`,
  ].join(', ');
