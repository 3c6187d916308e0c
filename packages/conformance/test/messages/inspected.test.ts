import { inspect } from "node:util";
import { handshake as connectTo, upgrade } from "@upgrade/client";
import { HttpConnection, type Role } from "@upgrade/core";
import { byClass, memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { expect, test } from "vitest";

const PROPOSAL =
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat, echo/2\r\n\r\n";

test("the console shows the state of an HttpConnection, and its proposal", () => {
  const server = new HttpConnection("server");
  expect(inspect(server)).toBe(
    [
      "HttpConnection {",
      "  role: 'server',",
      "  client: 'idle',",
      "  server: 'idle',",
      "  persists: true,",
      "  bufferedBytes: 0",
      "}",
    ].join("\n"),
  );
  server.receiveData(Buffer.from(PROPOSAL));
  while (typeof server.nextEvent() === "object");
  expect(inspect(server)).toContain("client: 'might-switch-protocol'");
  expect(inspect(server.proposal)).toBe(
    "Proposal { kind: 'upgrade', protocols: [ 'chat', 'echo/2' ] }",
  );
  expect(inspect({ a: { b: { server } } }, { depth: 1 })).toBe("{ a: { b: [Object] } }");
  expect(inspect({ a: { server } }, { depth: 1 })).toBe("{ a: { server: [HttpConnection] } }");
});

test("the console shows the parts of a connection without all of its io", async () => {
  const [near, far] = memoryPair();
  let parts: unknown;
  await serveOn(far, async (request) => {
    parts = await request.switchTo("echo/2");
  });
  const target = { target: "/", protocol: "echo/2", headers: { Host: "a" } };
  const result = await upgrade(near, target);
  const client = inspect(result);
  expect(client).toMatch(/^SwitchAccepted \{\n {2}switched: true,\n {2}protocol: 'echo\/2',/);
  expect(client).toContain("parts: Parts {");
  expect(inspect(byClass(Object.create(null)))).toBe("[Object]");
  expect(inspect(parts)).toMatch(
    /^Parts \{\n {2}io: \[\w+\],\n {2}readBuf: Uint8Array\(0\) \[\],\n {2}readEnded: false,/,
  );
  expect(Math.max(...[client, inspect(parts)].map((one) => one.split("\n").length))).toBeLessThan(
    40,
  );
});

test("the console shows whether a sender is ready", async () => {
  const [near] = memoryPair();
  const { sender, connection } = await connectTo(near);
  expect(inspect(sender)).toBe("Sender { isReady: true, isClosed: false }");
  connection.abort();
  await connection.closed;
  expect(inspect(sender)).toBe("Sender { isReady: false, isClosed: true }");
});

test.each(["sever", "", undefined, {}])("a connection of the role %j is refused", (role) => {
  expect(() => new HttpConnection(role as Role)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION" }),
  );
});

test("the console shows a connection, a request, a response and a body, and no credentials", async () => {
  let request: unknown;
  const [near, far] = memoryPair();
  await serveOn(far, (came) => {
    request = came;
    return { status: 200, headers: { "Set-Cookie": "a=secret" }, body: "hello" };
  });
  const { sender, connection } = await connectTo(near);
  const headers = { Host: "a.test", Authorization: "Bearer secret" };
  const response = await sender.sendRequest({ method: "GET", target: "/x", headers });
  const shown = [connection, request, response, response.body].map((one) => inspect(one));
  expect(shown[0]).toMatch(
    /^Connection \{\n {2}role: 'client',\n {2}phase: 'http',\n {2}state: \{ client: '[a-z-]+', server: '[a-z-]+' \},/,
  );
  expect(shown[1]).toMatch(/^ServerRequest \{\n {2}method: 'GET',\n {2}target: '\/x',/);
  expect(shown[2]).toMatch(/^ClientResponse \{\n {2}status: 200,/);
  expect(shown[3]).toBe("Body { length: 5, used: false, queuedBytes: 5, isComplete: true }");
  expect(shown.join()).not.toContain("secret");
  expect(shown.join()).not.toContain("undefined");
  expect(Math.max(...shown.map((one) => one.split("\n").length))).toBeLessThan(25);
});

test("the console shows a refused switch on the server without the response of the service", async () => {
  const [near, far] = memoryPair();
  const response = { status: 403, headers: { "Set-Cookie": "a=secret" }, body: "secret" };
  const { connection } = await serveOn(far, () => response);
  const refused = connection.withoutShutdown();
  await near.write([Buffer.from(PROPOSAL)]);
  const error = await refused.catch((error: unknown) => error);
  expect(error).toMatchObject({ code: "SWITCH_REFUSED", status: 403 });
  expect((error as { response: unknown }).response).toMatchObject(response);
  expect(inspect(error, { depth: Infinity })).not.toContain("secret");
});
