import { once } from "node:events";
import net from "node:net";
import type tls from "node:tls";
import { type ServeOptions, type Server, serve } from "@upgrade/node";
import { type Service, switching } from "@upgrade/server";
import { afterEach, beforeEach, expect } from "vitest";
import { head } from "../messages.ts";
import { ScriptedPeer } from "../scripted-peer.ts";
import { type Unhandled, watchUnhandled } from "../turns.ts";
import { closeAll, closeLater } from "./loopback.ts";
import { pem } from "./pairs.ts";

/** After each test of a file: closes what is left, and requires that nothing was unhandled. */
export function closeAfterEach(): void {
  let unhandled: Unhandled;
  beforeEach(() => {
    unhandled = watchUnhandled();
  });
  afterEach(async () => {
    await closeAll();
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
}

/** Serves on a free port of loopback, and aborts what is left when the test is over. */
export async function serveHere(
  service: Service<net.Socket>,
  options: ServeOptions = {},
): Promise<Server> {
  const server = await serve(service, { host: "127.0.0.1", ...options });
  closeLater(() => server.close({ timeoutMs: 1, upgraded: "abort" }));
  return server;
}

export function portOf({ address }: Server): number {
  return (address as net.AddressInfo).port;
}

/** A connected socket and a peer that uses it. */
export async function dial(server: Server): Promise<ScriptedPeer & { socket: net.Socket }> {
  const { address } = server;
  const socket =
    typeof address === "string" ? net.connect(address) : net.connect(portOf(server), "127.0.0.1");
  return Object.assign(await peerOn(socket, "connect"), { socket });
}

export async function peerOn(
  socket: net.Socket | tls.TLSSocket,
  opened: "connect" | "secureConnect",
): Promise<ScriptedPeer> {
  closeLater(() => socket.destroy());
  await once(socket, opened);
  return new ScriptedPeer(socket);
}

/** A certificate for localhost and 127.0.0.1, and its key. */
export const credentials = { cert: pem("cert"), key: pem("key") };
export const hello = () => ({ status: 200, body: "hello" });
/** A request that proposes to switch to `echo`. */
export const ECHO = head("GET /", "Connection: Upgrade", "Upgrade: echo");

/** Echoes after a switch, and otherwise says hello. */
export const echo: Service<net.Socket> = switching<net.Socket, ["echo"]>(
  [
    [
      "echo",
      ({ io, readBuf }) => {
        io.on("error", () => {}).write(readBuf);
        io.pipe(io);
      },
    ],
  ],
  hello,
);

/** A service whose response can be held back. */
export function heldBack() {
  let answer!: () => void;
  const begun = new Promise<void>((begin) => {
    answer = begin;
  });
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const service: Service<net.Socket> = async () => {
    answer();
    await released;
    return { status: 200, body: "late" };
  };
  return { service, begun, release };
}

/** Resolves when a socket has closed, whatever it fails with. */
export function closed(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}
