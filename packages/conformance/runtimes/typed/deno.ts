// With Deno's own types every connection of Deno is an io, and comes back as what it was.

import { handshake as connectTo, rewind, upgrade } from "@upgrade/client";
import { handshake, switching } from "@upgrade/server";
import { websocket } from "@upgrade/websocket";

export async function ask(conn: Deno.TcpConn, signal: AbortSignal): Promise<Response> {
  const { sender } = await connectTo(conn);
  const file = await Deno.open("body");
  const request = { method: "POST", target: "/", headers: new Headers(), body: file.readable };
  const response = await sender.sendRequest(request, { signal });
  return new Response(response.body.stream(), { status: response.status });
}

export async function propose(conn: Deno.TlsConn): Promise<Deno.TlsConn | undefined> {
  const protocol = websocket({ subprotocols: ["chat"] });
  const result = await upgrade(conn, { target: "/", protocol });
  if (!result.switched) return undefined;
  const subprotocol: string = result.agreement.protocol;
  console.log(subprotocol);
  return rewind(result.parts);
}

export async function serve(path: string): Promise<void> {
  const service = switching<Deno.UnixConn, ["echo"]>([
    ["echo", async ({ io, readBuf }) => void (await io.write(readBuf))],
  ]);
  for await (const conn of Deno.listen({ transport: "unix", path })) {
    const { connection } = await handshake(conn, service);
    const { io } = await connection.withoutShutdown();
    const same: Deno.UnixConn = io;
    same.close();
  }
}
