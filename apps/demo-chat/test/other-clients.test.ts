// Our server with WebSocket clients of others.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import WebSocket from "ws";
import type { ChatServer } from "../src/server.ts";
import { afterTest, chat } from "./chat-fixture.ts";

const MIB = 1024 * 1024;
const MAX = { maxMessageBytes: 2 * MIB };

/** ws's client in the room, with every message it receives. */
class WsClient {
  readonly socket: WebSocket;
  readonly #received: unknown[] = [];
  #wake = (): void => {};

  constructor(
    server: ChatServer,
    name: string,
    perMessageDeflate: boolean,
    protocols = ["chat.v1"],
  ) {
    const url = `${server.url.replace("http", "ws")}chat?name=${name}`;
    this.socket = new WebSocket(url, protocols, { perMessageDeflate });
    afterTest(() => this.socket.terminate());
    this.socket.on("message", (data) => {
      this.#received.push(JSON.parse(String(data)));
      this.#wake();
    });
  }

  async next(): Promise<unknown> {
    while (this.#received.length === 0) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    return this.#received.shift();
  }
}

describe.each([
  ["with permessage-deflate", true, "permessage-deflate"],
  ["without extensions", false, ""],
])("ws's client %s", (_, deflate, extensions) => {
  test("connects, talks and leaves", async () => {
    const client = new WsClient(await chat(), "wendy", deflate);
    expect(await client.next()).toEqual({ type: "welcome", you: "wendy", people: [] });
    expect(client.socket.protocol).toBe("chat.v1");
    expect(client.socket.extensions).toBe(extensions);
    client.socket.send('{"type":"message","text":"hi"}');
    expect(await client.next()).toEqual({ type: "message", from: "wendy", text: "hi" });
    client.socket.close(1000, "bye");
    const [code, reason] = await once(client.socket, "close");
    expect([code, String(reason)]).toEqual([1000, "bye"]);
  });

  test("sends and receives 1 MiB, whole and in fragments with a ping between them", async () => {
    const client = new WsClient(await chat(MAX), "wendy", deflate);
    await client.next();
    // Bytes that do not compress well, so that the wire carries a lot in either case.
    const text = Array.from({ length: MIB / 8 }, (_, n) => ((n * 2654435761) >>> 0).toString(16))
      .join("")
      .padEnd(MIB, ".");
    const message = JSON.stringify({ type: "message", text });
    client.socket.send(message);
    expect(await client.next()).toEqual({ type: "message", from: "wendy", text });

    const cut = [1, 70_000, 700_000, message.length];
    let start = 0;
    for (const end of cut) {
      client.socket.send(message.slice(start, end), { fin: end === message.length });
      if (end === 70_000) client.socket.ping();
      start = end;
    }
    expect(await client.next()).toEqual({ type: "message", from: "wendy", text });
  });
});

test.each([
  ["offers no subprotocol", []],
  ["offers another subprotocol only", ["chat.v2"]],
])("ws's client that %s is refused", async (_, protocols) => {
  const client = new WsClient(await chat(), "wendy", true, protocols);
  const [error] = await once(client.socket, "error");
  expect(error).toMatchObject({ message: "Unexpected server response: 400" });
});

// Node's own WebSocket comes from undici. It is global since Node 22, and behind a flag before.
const NODE_CLIENT = `
  const url = process.argv[1];
  const text = "x".repeat(${MIB});
  const result = { received: [] };
  const socket = new WebSocket(url, ["other", "chat.v1"]);
  socket.onopen = () => Object.assign(result, { protocol: socket.protocol, extensions: socket.extensions });
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === "welcome") socket.send(JSON.stringify({ type: "message", text }));
    else socket.close(1000, "enough");
    result.received.push(event.text === text ? { ...event, text: "1 MiB" } : event);
  };
  socket.onerror = (event) => { result.error = String(event.error ?? event.message); };
  socket.onclose = ({ code, reason, wasClean }) => {
    console.log(JSON.stringify({ ...result, code, reason, wasClean }));
  };
`;

test("Node's WebSocket connects, sends and receives 1 MiB compressed, and leaves", async () => {
  const server = await chat(MAX);
  const args = ["--no-warnings", "--experimental-websocket", "--input-type=module"];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...args,
    "--eval",
    NODE_CLIENT,
    `${server.url.replace("http", "ws")}chat?name=nora`,
  ]);
  expect(JSON.parse(stdout)).toEqual({
    protocol: "chat.v1",
    extensions: expect.stringContaining("permessage-deflate"),
    received: [
      { type: "welcome", you: "nora", people: [] },
      { type: "message", from: "nora", text: "1 MiB" },
    ],
    code: 1000,
    reason: "enough",
    wasClean: true,
  });
});
