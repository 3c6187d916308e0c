import { once } from "node:events";
import net from "node:net";

const closers: (() => unknown)[] = [];

/** Closes what the functions of this module have opened, and what was added by `closeLater()`. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0)) await close();
}

export function closeLater(close: () => unknown): void {
  closers.push(close);
}

/** Listens on a free port of loopback. */
export async function portOf(server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closeLater(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

export function open(port: number): net.Socket {
  const socket = net.connect(port, "127.0.0.1");
  closeLater(() => socket.destroy());
  return socket;
}

export async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += Buffer.from(chunk).toString("latin1");
  return text;
}
