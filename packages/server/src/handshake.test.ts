import { HttpConnection } from "@upgrade/core";
import { memoryPair } from "@upgrade/core/io";
import { expect, test } from "vitest";
import { handshake, prepareHandshake } from "./handshake.ts";
import type { Service } from "./service.ts";

test("a connection runs from the handshake on, without being polled", async () => {
  const [near, far] = memoryPair();
  await handshake(near, ({ target }) => ({ status: 200, body: `you asked for ${target}` }));
  const client = new HttpConnection("client");
  const headers = { Host: "a.test" };
  await far.write([client.send({ type: "request", method: "GET", target: "/", headers })]);
  client.send({ type: "end-of-message" });
  client.receiveData((await far.read())!);
  expect(client.nextEvent()).toMatchObject({ type: "response", status: 200 });
  const data = client.nextEvent();
  expect(data).toMatchObject({ type: "data" });
});

test("a service for any io fits every io, also by its type", async () => {
  const service: Service<unknown> = ({ target }) => ({ status: 200, body: target });
  const [near, far] = memoryPair();
  await handshake(near, service);
  await far.write([new TextEncoder().encode("GET /any HTTP/1.1\r\nHost: a.test\r\n\r\n")]);
  expect(new TextDecoder().decode((await far.read())!)).toMatch(/\r\n\r\n\/any$/);
});

test("the service is not called before a request arrives", async () => {
  const [near] = memoryPair();
  let calls = 0;
  const { connection } = await handshake(near, () => {
    calls++;
    return { status: 200 };
  });
  expect([calls, connection.stats.requests, connection.closeReason]).toEqual([0, 0, undefined]);
});

test("the reason for the end is available when it is read later", async () => {
  const [near, far] = memoryPair();
  const { connection } = await handshake(near, () => ({ status: 200 }));
  await far.closeWrite();
  expect(await far.read()).toBeNull();
  expect(await connection.closed).toMatchObject({ kind: "peer-ended" });
});

test("a prepared handshake serves one io after another with the same options", async () => {
  const accept = prepareHandshake(({ target }) => ({ status: 200, body: target }), { date: false });
  for (const target of ["/one", "/two"]) {
    const [near, far] = memoryPair();
    await accept(near);
    await far.write([new TextEncoder().encode(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`)]);
    expect(new TextDecoder().decode((await far.read())!)).toBe(
      `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n${target}`,
    );
  }
});

test("a mistake in the service or its options shows before there is an io", () => {
  const misspelt = { idleMS: 5 } as object;
  expect(() => prepareHandshake(() => ({ status: 200 }), misspelt)).toThrow("did you mean idleMs");
  expect(() => prepareHandshake(undefined as never)).toThrow("service is undefined");
});
