// The trace goes on after HTTP: the server of @upgrade/node reports the end of each socket.

import { upgrade } from "@upgrade/client";
import type { TraceEvent } from "@upgrade/core/io";
import { open, serve } from "@upgrade/node";
import { expect, test } from "vitest";

test("a switched socket that closes is the last event of its trace, with its bytes", async () => {
  const events: TraceEvent[] = [];
  const server = await serve(
    async (request) => {
      const { io } = await request.switchTo("echo");
      io.resume().end("bye");
    },
    { host: "127.0.0.1", trace: () => (event) => events.push(event) },
  );
  const result = await upgrade(await open(server.url), {
    target: "/",
    headers: { Host: "a" },
    protocol: "echo",
  });
  if (!result.switched) throw new Error("refused");
  result.io.end("hello");
  result.io.resume();
  await server.close();
  const types = events.map(({ type }) => type).filter((type) => type !== "moved");
  expect(types.slice(-3)).toEqual(["closed", "taken", "io-closed"]);
  const closed = events.find((event) => event.type === "closed");
  expect(events.at(-1)).toMatchObject({
    type: "io-closed",
    bytesRead: closed!.bytesRead + "hello".length,
    bytesWritten: closed!.bytesWritten + "bye".length,
  });
});

test("without a trace, and with one that traces no connection, a socket just closes", async () => {
  for (const options of [{}, { trace: () => undefined }]) {
    const server = await serve(() => ({ status: 204 }), { host: "127.0.0.1", ...options });
    const socket = await open(server.url);
    socket.resume().end("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await server.close();
    expect(server.connections).toBe(0);
  }
});
