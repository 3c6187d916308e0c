import { describe, expect, test } from "vitest";
import { dial } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { turns } from "../../src/turns.ts";

const NO_CONTENT = answer("204 No Content");
const get = (target: string) => ({ ...GET, target });

describe("pipelining", () => {
  const DELETE = { ...GET, method: "DELETE" };

  test("is off by default", async () => {
    const { peer, sender } = await dial();
    void sender.sendRequest(get("/1"));
    void sender.sendRequest(get("/2"));
    await turns();
    expect(peer.unread).toBe(head("GET /1"));
  });

  test("sends up to the limit, and matches responses to requests in order", async () => {
    const { peer, sender } = await dial({ pipeline: 3 });
    const pending = [1, 2, 3, 4].map((n) => sender.sendRequest(get(`/${n}`)));
    await turns();
    expect(peer.unread).toBe(head("GET /1") + head("GET /2") + head("GET /3"));
    const ok = (body: string) => `${answer("200 OK", "Content-Length: 1")}${body}`;
    await peer.send(ok("1") + ok("2"));
    expect(await (await pending[0]!).body.text()).toBe("1");
    expect(await (await pending[1]!).body.text()).toBe("2");
    await turns();
    expect(peer.unread).toContain("GET /4");
    await peer.send(ok("3") + ok("4"));
    expect(await (await pending[2]!).body.text()).toBe("3");
    expect(await (await pending[3]!).body.text()).toBe("4");
  });

  const PROPOSAL = { ...GET, headers: { Host: "a.test", Connection: "Upgrade", Upgrade: "chat" } };
  const CONNECT = { method: "CONNECT", target: "a.test:1", headers: { Host: "a.test:1" } };
  test.each([
    ["a POST", POST],
    ["a body", { ...GET, method: "PUT", body: "x" }],
    ["an Upgrade", PROPOSAL],
    ["a CONNECT", CONNECT],
  ])("never after or with %s", async (_, request) => {
    const later = await dial({ pipeline: 9 });
    void later.sender.sendRequest(request);
    void later.sender.sendRequest(get("/later"));
    await turns();
    expect(later.peer.unread).not.toContain("/later");
    const before = await dial({ pipeline: 9 });
    void before.sender.sendRequest(get("/before"));
    void before.sender.sendRequest(request);
    await turns();
    expect(before.peer.unread).toBe(head("GET /before"));
  });

  test("is limited to idempotent methods", async () => {
    const { peer, sender } = await dial({ pipeline: 9 });
    void sender.sendRequest(DELETE);
    void sender.sendRequest({ ...GET, method: "PATCH" });
    await turns();
    expect(peer.unread).toBe(head("DELETE /"));
  });

  test("a request that may not follow one with close waits, and ends no exchange", async () => {
    const { peer, sender } = await dial({ pipeline: 9 });
    const first = sender.sendRequest(get("/1"));
    const last = sender.sendRequest({
      ...get("/2"),
      headers: { ...GET.headers, Connection: "close" },
    });
    const later = sender.sendRequest(get("/3"));
    await turns();
    expect(peer.unread).toBe(head("GET /1") + head("GET /2", "Connection: close"));
    await peer.send(NO_CONTENT + NO_CONTENT);
    expect((await first).status).toBe(204);
    expect((await last).status).toBe(204);
    await expect(later).rejects.toMatchObject({ code: "NOT_SENT", retrySafe: true });
  });

  test("the end of the connection reports for each request how much of it was sent", async () => {
    const { peer, sender } = await dial({ pipeline: 2 });
    const pending = [1, 2, 3].map((n) => sender.sendRequest(get(`/${n}`)));
    await turns();
    await peer.send(answer("200 OK", "Content-Length: 0", "Connection: close"));
    expect((await pending[0]!).status).toBe(200);
    await expect(pending[1]).rejects.toMatchObject({
      sent: "all",
      responseSeen: false,
      retrySafe: false,
    });
    await expect(pending[2]).rejects.toMatchObject({ code: "NOT_SENT", retrySafe: true });
  });
});
