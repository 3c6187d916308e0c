import { HttpConnection } from "@upgrade/core";
import { memoryPair } from "@upgrade/core/io";
import { expect, test } from "vitest";
import { handshake, prepareHandshake } from "./handshake.ts";

const GET = { method: "GET", target: "/", headers: { Host: "a.test" } };

test("nothing is sent before the first request", async () => {
  const [near, far] = memoryPair();
  const { sender, connection } = await handshake(near);
  expect([sender.isReady, connection.stats]).toEqual([
    true,
    { bytesRead: 0, bytesWritten: 0, requests: 0 },
  ]);
  const response = sender.sendRequest(GET);
  const server = new HttpConnection("server");
  server.receiveData((await far.read())!);
  expect(server.nextEvent()).toMatchObject({ type: "request", method: "GET", target: "/" });
  server.nextEvent();
  await far.write([server.send({ type: "response", status: 204 })]);
  expect((await response).status).toBe(204);
});

test("the sender's state is live, not a snapshot", async () => {
  const [near] = memoryPair();
  const { sender, connection } = await handshake(near);
  sender.sendRequest(GET).catch(() => {});
  expect([sender.isReady, sender.isClosed]).toEqual([false, false]);
  connection.abort();
  expect([sender.isReady, sender.isClosed]).toEqual([false, true]);
});

test("a request leaves at the end of the turn in which it was sent", async () => {
  const [near, far] = memoryPair();
  const { sender } = await handshake(near);
  const read = far.read();
  sender.sendRequest(GET).catch(() => {});
  expect(Buffer.from((await read)!).toString()).toBe("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
});

test("a prepared handshake connects one io after another with the same options", async () => {
  const begin = prepareHandshake({ maxQueuedRequests: 0 });
  for (const target of ["/one", "/two"]) {
    const [near, far] = memoryPair();
    const { sender } = await begin(near);
    sender.sendRequest({ ...GET, target }).catch(() => {});
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "QUEUE_FULL" });
    expect(Buffer.from((await far.read())!).toString()).toContain(`GET ${target} `);
  }
});

test("a mistake in the options shows before there is an io", () => {
  expect(() => prepareHandshake({ pipeLine: 4 } as object)).toThrow("did you mean pipeline");
});
