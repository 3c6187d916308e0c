import { type ClientHandshake, type ClientOptions, handshake as connectTo } from "@upgrade/client";
import { type ByteStream, type Connection, ManualClock, memoryPair } from "@upgrade/core/io";
import {
  type ServerOptions,
  type ServerRequest,
  type Service,
  handshake as serveOn,
} from "@upgrade/server";
import { GET } from "./messages.ts";
import { codeOr } from "./promises.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

/** Our server, in memory, with a scripted client and a stopped clock. */
export interface Served {
  readonly peer: ScriptedPeer;
  readonly connection: Connection<ByteStream>;
  readonly clock: ManualClock;
  /** What `onError` received: code (or message) and phase. */
  readonly reports: string[];
}

export async function serve(
  service: Service<ByteStream>,
  options: ServerOptions<ByteStream> = {},
): Promise<Served> {
  const [near, far] = memoryPair();
  const clock = new ManualClock();
  const reports: string[] = [];
  const { connection } = await serveOn(near, service, {
    clock,
    date: false,
    onError: (error, { phase }) => reports.push(`${phase}: ${codeOr(error)}`),
    ...options,
  });
  return { peer: new ScriptedPeer(far), connection, clock, reports };
}

/** Our client, in memory, with a scripted server and a stopped clock. */
export interface Dialed extends ClientHandshake<ByteStream> {
  readonly peer: ScriptedPeer;
  readonly clock: ManualClock;
}

export async function dial(options: ClientOptions = {}): Promise<Dialed> {
  const [near, far] = memoryPair();
  const clock = new ManualClock();
  const { sender, connection } = await connectTo(near, { clock, ...options });
  return { sender, connection, peer: new ScriptedPeer(far), clock };
}

/** Our client and our server, joined in memory. */
export async function join(
  service: Service<ByteStream>,
  options: { readonly client?: ClientOptions; readonly server?: ServerOptions<ByteStream> } = {},
): Promise<ClientHandshake<ByteStream> & { readonly serving: Connection<ByteStream> }> {
  const [near, far] = memoryPair();
  const clock = new ManualClock();
  const server = await serveOn(far, service, { clock, date: false, ...options.server });
  const client = await connectTo(near, { clock, ...options.client });
  return { ...client, serving: server.connection };
}

/** A request as seen by the service, and the peer's view. */
export async function received<T>(
  bytes: string,
  read: (request: ServerRequest<ByteStream>) => Promise<T>,
  options: ServerOptions<ByteStream> = {},
) {
  const found: { value?: unknown } = {};
  const served = await serve(async (request) => {
    found.value = await read(request).catch((error: { code?: string }) => error.code ?? error);
    return { status: 204 };
  }, options);
  await served.peer.send(bytes);
  return { ...served, found };
}

/** Our client with the response to its request. The body is incomplete unless `bytes` end it. */
export async function response(
  bytes: string,
  options = {},
  request: Parameters<typeof sent>[0] = GET,
) {
  const client = await dial(options);
  const promise = sent(request);
  await client.peer.readHead();
  await client.peer.send(bytes);
  return { ...client, response: await promise };

  function sent(init: Parameters<typeof client.sender.sendRequest>[0]) {
    return client.sender.sendRequest(init);
  }
}
