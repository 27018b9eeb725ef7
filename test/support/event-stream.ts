/** What a reader of server-sent events gets: an event, or only the id of what it need not read. */
export interface ServerSent {
  id: string;
  data: { position: string; type: string; stream: string; data: Record<string, unknown>; people: string[] } | undefined;
}

export interface Followed {
  status: number;
  headers: Headers;
  /** Until the stream ends, breaks or is left. */
  events(): AsyncGenerator<ServerSent>;
  /** Comments that came so far. */
  heartbeats(): number;
  leave(): void;
}

/** Follows events as a browser or any other reader of `text/event-stream` does. */
export async function followEvents(
  url: string,
  token: string,
  { query = '', lastEventId }: { query?: string; lastEventId?: string } = {},
): Promise<Followed> {
  const leaving = new AbortController();
  const headers = {
    ...{ authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  const answer = await fetch(`${url}/v1/events${query}`, { headers, signal: leaving.signal });
  let beats = 0;
  return {
    ...{ status: answer.status, headers: answer.headers, heartbeats: () => beats, leave: () => leaving.abort() },
    events: async function* () {
      let rest = '';
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop()!;
        for (const block of blocks) {
          const { id, data } = Object.fromEntries(
            block.split('\n').map((line) => [line.split(':', 1)[0]!, line.slice(line.indexOf(':') + 2)]),
          );
          if (block.startsWith(':')) beats += 1;
          if (id !== undefined) yield { id, data: data === undefined ? undefined : (JSON.parse(data) as ServerSent['data']) };
        }
      }
    },
  };
}

/** The next so many events. */
export async function next(events: AsyncGenerator<ServerSent>, count: number): Promise<ServerSent[]> {
  const came: ServerSent[] = [];
  while (came.filter(({ data }) => data).length < count) {
    const result = await events.next();
    if (result.done) throw new Error(`The stream ended after ${came.length} of ${count} events.`);
    came.push(result.value);
  }
  return came;
}
