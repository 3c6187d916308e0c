// The io that goes in is the io that comes out, by type: from both ends, by every way to the parts.
// Compiled against the sources and against the published declarations.
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import * as client from "@upgrade/client";
import * as server from "@upgrade/server";

export async function onTls(io: TLSSocket): Promise<void> {
  const asked = await client.handshake(io);
  const asking: Same<typeof asked.connection, client.Connection<TLSSocket>> = true;
  const served = await server.handshake(io, () => ({ status: 204 }));
  const serving: Same<typeof served.connection, server.Connection<TLSSocket>> = true;
  void [asking, serving];
  for (const { connection } of [asked, served]) {
    const taken = connection.intoParts();
    const now: Same<typeof taken.io, TLSSocket> = true;
    const forced = connection.intoParts({ force: true });
    const byForce: Same<typeof forced.io, TLSSocket> = true;
    const left = await connection.withoutShutdown();
    const later: Same<typeof left.io, TLSSocket> = true;
    const back = client.rewind(left);
    const again: Same<typeof back, TLSSocket> = true;
    void [now, byForce, later, again];
  }
}

export async function proposed(io: TLSSocket): Promise<void> {
  const switched = await client.upgrade(io, { target: "/", protocol: "echo" });
  const tunnel = await client.connect(io, "a.test:443");
  const same: Same<typeof switched, typeof tunnel> = true;
  void same;
  if (switched.switched) {
    const out: Same<typeof switched.io, TLSSocket> = true;
    const parts: Same<typeof switched.parts, client.Parts<TLSSocket>> = true;
    const rest: Same<typeof switched.readBuf, Uint8Array> = true;
    void [out, parts, rest];
  } else {
    const goesOn: Same<typeof switched.connection, client.Connection<TLSSocket>> = true;
    const refusal: Same<typeof switched.response, client.ClientResponse> = true;
    void [goesOn, refusal];
  }
}

export const accepted: server.Service<TLSSocket> = async (request) => {
  const switched = await request.switchTo("echo");
  const out: Same<typeof switched.io, TLSSocket> = true;
  const taken = await request.takeOver();
  const untouched: Same<typeof taken, server.Parts<TLSSocket>> = true;
  const on: Same<typeof request.connection, server.Connection<TLSSocket>> = true;
  void [out, untouched, on];
};

export async function prepared(duplex: Duplex, socket: Socket): Promise<void> {
  const ask = client.prepareHandshake();
  const over = [await ask(duplex), await ask(socket)] as const;
  const first: Same<(typeof over)[0], client.ClientHandshake<Duplex>> = true;
  const second: Same<(typeof over)[1], client.ClientHandshake<Socket>> = true;
  const serve = server.prepareHandshake((request: server.ServerRequest<Socket>) => {
    void (request.connection satisfies server.Connection<Socket>);
    return { status: 204 };
  });
  const third: Same<Awaited<ReturnType<typeof serve>>, server.ServerHandshake<Socket>> = true;
  void [first, second, third];
  // @ts-expect-error: made for sockets
  void serve(duplex);
  // @ts-expect-error: a number is no transport
  void ask(5);
  // @ts-expect-error: half a pair is no transport
  void client.upgrade({ readable: duplex }, { target: "/" });
}
