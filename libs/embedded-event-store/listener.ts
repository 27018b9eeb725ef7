import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export interface TlsKeyPair {
  cert: string | Buffer; // PEM
  key: string | Buffer; // PEM
}

export interface ListenerOptions {
  host: string;
  port: number; // 0: any free one
  tls?: TlsKeyPair | undefined;
  maxConnections: number;
  /** A connection that speaks HTTP/2. */
  onGrpc(socket: Socket): void;
  /** Answer of `GET /health/live` and `/health/ready`. */
  isReady(): boolean;
}

const http2Preface = 'PRI ';
const firstBytesTimeout = 10_000; // ms for a connection to say what it speaks

/**
 * One port for gRPC and for health over HTTP/1.1, as on a real node: the first bytes of a connection tell which it
 * is, with TLS after its handshake.
 */
export class Listener {
  private readonly server: TcpServer;
  private readonly http: HttpServer;
  /** Connections that speak HTTP/1.1, or have not spoken yet. */
  private readonly plain = new Set<Socket>();

  constructor(private readonly options: ListenerOptions) {
    this.http = healthServer(options.isReady);
    const { tls } = options;
    this.server = tls ? createTlsServer({ ...tls, ALPNProtocols: ['h2', 'http/1.1'] }) : createTcpServer();
    this.server.maxConnections = options.maxConnections;
    this.server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => this.decide(socket));
  }

  async listen(): Promise<number> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Takes no new connections; those that speak gRPC are their owner's to end. */
  close(): void {
    this.server.close();
    for (const socket of this.plain) socket.destroy();
  }

  private decide(socket: Socket): void {
    this.plain.add(socket);
    socket.setNoDelay(true);
    socket.setTimeout(firstBytesTimeout, () => socket.destroy());
    socket.once('close', () => this.plain.delete(socket));
    socket.on('error', () => socket.destroy());
    const read = (): void => {
      const first = socket.read() as Buffer | null;
      if (!first) return;
      socket.unshift(first);
      if (first.length < http2Preface.length && http2Preface.startsWith(first.toString('latin1'))) return;
      socket.off('readable', read);
      socket.setTimeout(0);
      if (first.toString('latin1', 0, http2Preface.length) !== http2Preface) {
        this.http.emit('connection', socket);
        return;
      }
      this.plain.delete(socket);
      this.options.onGrpc(socket);
    };
    socket.on('readable', read);
  }
}

/** Health as the real server tells it: 204, or 503 while it is not ready. `/ping` is what its clients ask over HTTP. */
const healthServer = (isReady: () => boolean): HttpServer =>
  createHttpServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/health/live') response.writeHead(204).end();
    else if (pathname === '/health/ready') response.writeHead(isReady() ? 204 : 503).end();
    else if (pathname === '/ping')
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"msgTypeId":1,"text":"Ping request successfully handled"}');
    else response.writeHead(404).end();
  });
