import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { isMap, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { assertStorable } from './json-body.js';
import { HttpProblem, type RequestError } from './problems.js';
import { refuseOtherType } from './takes.js';

export const YAML = 'application/yaml';

const MAX_ALIASES = 100; // what few lines may unfold to

/** A body that somebody wrote by hand: it knows on which line everything stands. */
export class YamlBody {
  private constructor(
    readonly value: unknown,
    private readonly document: Document.Parsed,
    private readonly lines: LineCounter,
  ) {}

  /** @throws InvalidInput with the line of everything that makes it no YAML, or no data */
  static of(bytes: Buffer): YamlBody {
    if (!isUtf8(bytes)) throw new HttpProblem(400, 'NOT_UTF8', 'The body is not encoded in UTF-8.');
    const lines = new LineCounter();
    const document = parseDocument(bytes.toString(), { lineCounter: lines, version: '1.2', schema: 'core', uniqueKeys: true });
    const broken = document.errors.map(({ pos: [at], message }): RequestError => {
      return { field: '', line: lines.linePos(at).line, code: 'BROKEN_YAML', message: message.split('\n')[0]! };
    });
    if (broken.length > 0) throw new InvalidInput(broken.slice(0, 100));
    const body = new YamlBody(dataOf(document), document, lines);
    return body.locating(() => (assertStorable(body.value), body));
  }

  /** Does it; what is wrong then is told with its line. */
  locating<Done>(work: () => Done): Done {
    try {
      return work();
    } catch (error) {
      throw this.located(error);
    }
  }

  located(error: unknown): unknown {
    if (!(error instanceof InvalidInput)) return error;
    return new InvalidInput(error.errors.map((each): RequestError => ({ ...each, line: this.lineOf(each.field) })));
  }

  /** Of what a JSON pointer leads to, or of the last thing on its way that is there. */
  private lineOf(pointer: string): number {
    let node: unknown = this.document.contents;
    let offset = rangeOf(node) ?? 0;
    for (const part of pointer.split('/').slice(1)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const pair = isMap(node) ? node.items.find(({ key }) => String(key) === name) : undefined;
      node = pair ? pair.value : isSeq(node) ? node.items[Number(name)] : undefined;
      offset = rangeOf(pair?.key) ?? rangeOf(node) ?? offset;
      if (node === undefined) break;
    }
    return this.lines.linePos(offset).line;
  }
}

export const readYamlBodies = (fastify: FastifyInstance): void => {
  fastify.addContentTypeParser(YAML, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      refuseOtherType(request, YAML);
      done(null, YamlBody.of(body));
    } catch (error) {
      done(error as Error);
    }
  });
};

const dataOf = (document: Document.Parsed): unknown => {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    throw new HttpProblem(400, 'BROKEN_YAML', 'The body has more aliases than data needs.');
  }
};

const rangeOf = (node: unknown): number | undefined =>
  typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? (node.range[0] as number) : undefined;
