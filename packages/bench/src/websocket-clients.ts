// Clients that open a WebSocket, send one message, get it back, and close; sixteen at once.

import { upgrade } from "@upgrade/client";
import { adopt, websocket } from "@upgrade/websocket";
import { WebSocket } from "ws";
import { during, type Shoot } from "./benchmark.ts";
import { dial } from "./loopback.ts";
import { refuse } from "./messages.ts";

const LANES = 16;

type Open = (port: number) => Promise<WebSocket>;

/** Proposes with @upgrade/websocket, and gives the socket to the class of ws. */
export const adopting = lanes(async (port) => {
  const result = await upgrade(await dial(port), {
    target: "/chat",
    headers: { Host: `127.0.0.1:${port}` },
    protocol: websocket(),
  });
  if (!result.switched) throw new Error(`status ${result.response.status}`);
  return adopt(result.parts, result.agreement, { WebSocket });
});

/** The client of ws. */
export const opening = lanes(
  (port) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { perMessageDeflate: false });
      socket.once("error", reject);
      socket.once("open", () => resolve(socket));
    }),
);

function lanes(open: Open): (port: number) => Promise<Shoot> {
  return async (port) => {
    const once = async (): Promise<void> => echo(await open(port));
    return async (ms) => {
      const shots = await Promise.all(Array.from({ length: LANES }, () => during(ms, once)));
      return {
        count: shots.reduce((sum, { count }) => sum + count, 0),
        ms: Math.max(...shots.map((shot) => shot.ms)),
      };
    };
  };
}

function echo(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("message", (message) => {
      refuse(String(message) === "a" ? undefined : "another message came back");
      socket.close();
    });
    socket.once("close", () => resolve());
    socket.send("a");
  });
}
