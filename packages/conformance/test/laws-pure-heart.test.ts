import { HttpConnection } from "@upgrade/core";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => void vi.restoreAllMocks());

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** Everything a client and a server say to each other, each connection fed by the other alone. */
function converse(): string[] {
  const client = new HttpConnection("client");
  const server = new HttpConnection("server");
  const said: string[] = [];
  const say = (
    from: HttpConnection,
    to: HttpConnection,
    event: Parameters<typeof from.send>[0],
  ) => {
    const bytes = from.send(event);
    said.push(text(bytes));
    to.receiveData(bytes);
    for (let next = to.nextEvent(); typeof next === "object"; next = to.nextEvent()) {
      said.push(next.type);
    }
  };
  const headers = { Host: "a.test" };
  say(client, server, {
    type: "request",
    method: "POST",
    target: "/",
    headers,
    bodyLength: "unknown",
  });
  say(client, server, { type: "data", bytes: "body" });
  say(client, server, { type: "end-of-message", trailers: { Digest: "x" } });
  say(server, client, { type: "informational-response", status: 103 });
  say(server, client, { type: "response", status: 200, bodyLength: 2 });
  say(server, client, { type: "data", bytes: "ok" });
  say(server, client, { type: "end-of-message" });
  client.startNextCycle();
  server.startNextCycle();
  const upgrade = { Connection: "Upgrade", Upgrade: "chat" };
  say(client, server, {
    type: "request",
    method: "GET",
    target: "/",
    headers: { ...headers, ...upgrade },
  });
  say(client, server, { type: "end-of-message" });
  say(server, client, { type: "response", status: 101, headers: upgrade });
  expect([client.hasSwitched, server.hasSwitched]).toEqual([true, true]);
  return said;
}

test("L19 pure heart: two ends converse and switch without io, clock, timer, chance or promise", () => {
  const before = converse();
  const asked: string[] = [];
  const forbid = <T extends object>(owner: T, name: keyof T & string): void => {
    vi.spyOn(owner, name as never).mockImplementation((() => asked.push(name)) as never);
  };
  for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "fetch"]) {
    forbid(globalThis, name as "setTimeout");
  }
  forbid(Date, "now");
  forbid(performance, "now");
  forbid(Math, "random");
  forbid(process, "nextTick");
  forbid(Promise.prototype, "then");
  const during = converse();
  vi.restoreAllMocks();
  expect(asked).toEqual([]);
  // Nothing that is kept for the process, of another connection or another time, changes a word.
  expect(during).toEqual(before);
});
