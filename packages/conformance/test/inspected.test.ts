import { inspect } from "node:util";
import { handshake as connectTo } from "@upgrade/client";
import { HttpConnection, type Role } from "@upgrade/core";
import { memoryPair } from "@upgrade/core/io";
import { expect, test } from "vitest";

const PROPOSAL =
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat, echo/2\r\n\r\n";

test("a console shows where a connection without io stands, and what was proposed", () => {
  const server = new HttpConnection("server");
  expect(inspect(server)).toBe(
    [
      "HttpConnection {",
      "  role: 'server',",
      "  client: 'idle',",
      "  server: 'idle',",
      "  persists: true,",
      "  proposal: undefined,",
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

test("a console shows whether a sender sends", async () => {
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
