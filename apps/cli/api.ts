import { Command } from 'commander';

// What the command lines have in common that speak to the API, as anybody else does.

export interface Access {
  api: string; // its address, with /v1
  token: string;
}

/** What somebody must do is in the message; a stack trace would not help. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly status?: number, // that the API answered with
  ) {
    super(message);
  }

  /** The API said no, and will say so again. */
  get isFinal(): boolean {
    return this.status !== undefined && this.status < 500 && this.status !== 429;
  }
}

export interface Sending {
  method?: 'GET' | 'POST' | 'PUT';
  type?: string; // media type of the body
  accept?: string;
  body?: Blob | string;
  key?: string; // Idempotency-Key
}

interface Problem {
  detail?: string;
  code?: string;
  errors?: { field: string; line?: number; message: string }[];
}

/** The options by which a command finds the API, or their variables. */
export const apiCommand = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('--api <address>', 'address of the API; or PUNCHCARD_API', process.env.PUNCHCARD_API ?? 'http://127.0.0.1:3000')
    .option('--token <token>', "an owner's or administrator's token; or PUNCHCARD_TOKEN", process.env.PUNCHCARD_TOKEN);

export const accessOf = ({ api, token }: { api: string; token?: string }): Access => {
  if (!token) throw new CliError('A token is needed: --token, or PUNCHCARD_TOKEN. `npm start` and `npm run business:create` print one.');
  return { api: `${api.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1`, token };
};

/** @throws CliError with all that the API says is wrong; TypeError when it cannot be reached */
export async function send(
  { api, token }: Access,
  path: string,
  { method = 'GET', type, accept, body, key }: Sending = {},
): Promise<Response> {
  const answer = await fetch(api + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(type && { 'content-type': type }),
      ...(accept && { accept }),
      ...(key && { 'idempotency-key': key }),
    },
    ...(body !== undefined && { body, duplex: 'half' }),
  });
  if (answer.ok) return answer;
  const said = await answer.text();
  throw new CliError(`${answer.status}: ${wordsOf(said)}`, answer.status);
}

const wordsOf = (text: string): string => {
  try {
    const { detail, code, errors = [] } = JSON.parse(text) as Problem;
    const each = errors.map(({ field, line, message }) => `  ${line === undefined ? '' : `line ${line}: `}${field} ${message}`.trimEnd());
    return [`${detail ?? text} (${code})`, ...each].join('\n');
  } catch {
    return text;
  }
};

/** Runs it, and ends with 1 and what must be done when it fails. */
export const run = (work: Promise<void>): void => {
  work.catch((error: unknown) => {
    const isAway = error instanceof TypeError && error.message === 'fetch failed';
    const said = error instanceof CliError ? error.message : isAway ? 'The API cannot be reached: does it run, and is --api right?' : error;
    process.stderr.write(`${said instanceof Error ? said.stack : String(said)}\n`);
    process.exitCode = 1;
  });
};
