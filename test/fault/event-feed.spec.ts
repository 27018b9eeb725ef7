import { setTimeout as sleep } from 'node:timers/promises';
import { openClinic } from '../support/clinic.js';
import { followEvents } from '../support/event-stream.js';
import { type Service, startService } from '../support/service.js';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

it('L6: a reader that goes on after its last id has every event once, in order, whoever dies while others write', async () => {
  const clinic = await openClinic(service);
  const token = await clinic.business.token('auditor');
  const writing = { over: false };
  const write = async () => {
    const sold = await clinic.sell();
    for (let days = 1; !writing.over; days = (days % 300) + 1)
      await clinic.bookWithout({ clientId: sold.clientId, start: clinic.in(days) });
  };
  const writers = [write(), write()];

  const came: string[] = [];
  const readUntil = async (isEnough: () => boolean) => {
    const api = await service.startApi({});
    const stream = await followEvents(api.ready as string, token, { lastEventId: came.at(-1) });
    const reading = (async () => {
      for await (const { id, data } of stream.events()) if (data) came.push(id);
    })().catch(() => undefined); // its API is killed
    while (!isEnough()) await sleep(10);
    await api.kill();
    await reading;
  };
  for (let round = 1; round <= 2; round += 1) {
    const before = came.length;
    if (round === 2) await service.stopProjector();
    if (round === 2) setTimeout(() => void service.startProjector(), 300);
    await readUntil(() => came.length >= before + 12); // in the midst of what is written
  }
  writing.over = true;
  await Promise.all(writers);
  const events = await service.history();
  const all = events.filter(({ metadata }) => metadata.business === clinic.business.id).map(({ position }) => String(position));
  await readUntil(() => came.at(-1) === all.at(-1));
  expect(came).toEqual(all);
});
