// With the types of workerd both kinds of socket are an io, and come back as what they were.

import { connect } from "cloudflare:sockets";
import { handshake as connectTo, rewind, upgrade } from "@upgrade/client";
import { handshake } from "@upgrade/server";
import { websocket } from "@upgrade/websocket";

// biome-ignore lint/style/noDefaultExport: that is where workerd looks for the handlers
export default {
  async connect(socket: Socket): Promise<void> {
    const service = ({ body }: { body: { stream(): ReadableStream<Uint8Array> } }) => ({
      status: 200,
      body: body.stream(),
    });
    const { connection } = await handshake(socket, service);
    await connection.closed;
  },
  async fetch(request: Request): Promise<Response> {
    const { sender } = await connectTo(connect("a.test:80", { allowHalfOpen: true }));
    const { method, headers, body, signal } = request;
    const response = await sender.sendRequest({ method, target: "/", headers, body }, { signal });
    return new Response(response.body.stream(), { status: response.status });
  },
};

export async function propose(socket: Socket): Promise<Pick<Socket, "readable"> | undefined> {
  const protocol = websocket({ subprotocols: ["chat"] });
  const result = await upgrade(socket, { target: "/", protocol });
  if (!result.switched) return undefined;
  const subprotocol: string = result.agreement.protocol;
  console.log(subprotocol);
  const { io }: { io: Socket } = result;
  return subprotocol === "" ? io : rewind(result.parts);
}
