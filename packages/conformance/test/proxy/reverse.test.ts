import { describe, expect, test } from "vitest";
import { answer, head } from "../../src/messages.ts";
import { proxied } from "../../src/proxying/proxied.ts";
import { turns } from "../../src/turns.ts";

const WEBSOCKET = ["Connection: Upgrade", "Upgrade: websocket"];

describe("a request and its response go through a reverse proxy:", () => {
  test("method, target, fields and body, in their order and spelling", async () => {
    const { client, upstream } = await proxied();
    const fields = ["X-One: 1", "x-ONE: 2", "Content-Length: 4", "X-Empty: "];
    const request = `${head("POST /a?b=%20c", ...fields)}body`;
    await client.send(request);
    const origin = await upstream();
    expect(await origin.read(request.length)).toBe(request);
    const response = `${answer("299 All \xe9 right", "x-A: 1", "X-a: 2", "content-length: 5")}hello`;
    await origin.send(response);
    expect(await client.read(response.length)).toBe(response);
  });

  test("hop-by-hop fields stay on their hop, and HTTP2-Settings too", async () => {
    const { client, upstream } = await proxied();
    const hops = ["Connection: X-Hop, close", "X-Hop: 1", "Keep-Alive: 5", "HTTP2-Settings: AA"];
    await client.send(head("GET /", ...hops, "Proxy-Connection: close", "X: 1"));
    const origin = await upstream();
    expect(await origin.readHead()).toBe(head("GET /", "X: 1"));
    await origin.send(answer("204 No Content", "Connection: X-Down, keep-alive", "X-Down: 1"));
    expect(await client.readHead()).toBe(answer("204 No Content", "Connection: close"));
  });

  test("chunks and trailers, without those that no trailer section may have", async () => {
    const { client, upstream } = await proxied();
    const body = "2\r\nhi\r\n0\r\nX-Sum: 1\r\nHost: b.test\r\n\r\n";
    await client.send(`${head("PUT /", "Transfer-Encoding: chunked")}${body}`);
    const origin = await upstream();
    const forwarded = "2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n";
    expect(await origin.readUntil("X-Sum: 1\r\n\r\n")).toBe(
      `${head("PUT /", "Transfer-Encoding: chunked")}${forwarded}`,
    );
    await origin.send(`${answer("200 OK", "Transfer-Encoding: chunked")}${body}`);
    expect(await client.readUntil("X-Sum: 1\r\n\r\n")).toBe(
      `${answer("200 OK", "Transfer-Encoding: chunked")}${forwarded}`,
    );
    await turns();
    expect([client.unread, origin.unread]).toEqual(["", ""]);
  });

  test("a client that asks for trailers gets them, since the proxy asks for them", async () => {
    const { client, upstream } = await proxied();
    await client.send(head("GET /", "Connection: TE", "TE: gzip, trailers;q=1"));
    expect(await (await upstream()).readHead()).toBe(
      head("GET /", "Connection: TE", "TE: trailers"),
    );
  });

  test("interim responses, and a 100 only for a client that waits for it", async () => {
    const { client, upstream } = await proxied();
    await client.send(head("POST /", "Content-Length: 2", "Expect: 100-continue"));
    const origin = await upstream();
    expect(await origin.readHead()).toContain("Expect: 100-continue");
    await turns();
    expect(client.unread).toBe("");
    await origin.send(answer("103 Early Hints", "Link: </a>", "Content-Length: 0"));
    expect(await client.readHead()).toBe(answer("103 Early Hints", "Link: </a>"));
    await origin.send(answer("100 Continue"));
    expect(await client.readHead()).toBe(answer("100 Continue"));
    await client.send("hi");
    expect(await origin.read(2)).toBe("hi");
    await origin.send(answer("200 OK", "Content-Length: 0"));
    expect(await client.readHead()).toBe(answer("200 OK", "Content-Length: 0"));
    await client.send(`${head("POST /", "Content-Length: 2")}hi`);
    expect(await origin.readUntil("hi")).not.toContain("Expect");
    await origin.send(answer("100 Continue") + answer("204 No Content"));
    expect(await client.readHead()).toBe(answer("204 No Content"));
  });

  test("an HTTP/1.0 client, without Host, with an expectation that it may not have", async () => {
    const { client, upstream } = await proxied({ origin: "http://origin.test:8081/" });
    await client.send("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    const origin = await upstream();
    expect(await origin.readUntil("hi")).toBe(
      "POST / HTTP/1.1\r\nHost: origin.test:8081\r\nContent-Length: 2\r\n\r\nhi",
    );
    await origin.send(
      `${answer("103 Early Hints")}${answer("200 OK", "Transfer-Encoding: chunked")}`,
    );
    await origin.send("2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n");
    expect(await client.readToEnd()).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok");
  });

  test("an HTTP/1.0 upstream, whose end is the end of its body", async () => {
    const { client, upstream, dialed } = await proxied();
    await client.send(head("GET /1"));
    const origin = await upstream();
    await origin.readHead();
    await origin.send("HTTP/1.0 200 Fine\r\nX: 1\r\n\r\nhello");
    await origin.end();
    expect(await client.readUntil("0\r\n\r\n")).toBe(
      `${answer("200 Fine", "X: 1", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`,
    );
    await client.send(head("GET /2"));
    await (await upstream()).readHead();
    expect(dialed).toHaveLength(2);
  });

  test("HEAD, 304, and a 204 whose length is not passed on", async () => {
    const { client, upstream } = await proxied();
    await client.send(head("HEAD /"));
    const origin = await upstream();
    await origin.readHead();
    const found = answer("200 OK", "Content-Length: 5");
    await origin.send(found);
    expect(await client.readHead()).toBe(found);
    await client.send(head("GET /", "If-None-Match: x"));
    await origin.readHead();
    await origin.send(answer("304 Not Modified", "Content-Length: 5"));
    expect(await client.readHead()).toBe(answer("304 Not Modified", "Content-Length: 5"));
    await client.send(head("DELETE /"));
    await origin.readHead();
    await origin.send(answer("204 No Content", "Content-Length: 0"));
    expect(await client.readHead()).toBe(answer("204 No Content"));
  });

  test("an absolute target names the host, whatever Host says", async () => {
    for (const [line, forwarded, host] of [
      ["GET http://b.test:80/x?y", "GET /x?y", "b.test:80"],
      ["GET http://b.test", "GET /", "b.test"],
      ["GET http://b.test?q", "GET /?q", "b.test"],
      ["OPTIONS http://b.test", "OPTIONS *", "b.test"],
      ["OPTIONS *", "OPTIONS *", "a.test"],
    ]) {
      const { client, upstream } = await proxied();
      await client.send(head(line!));
      const expected = `${forwarded} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      expect(await (await upstream()).readHead()).toBe(expected);
    }
  });

  test("Max-Forwards counts for OPTIONS, whose last recipient the proxy may be", async () => {
    const { client, upstream, dialed } = await proxied();
    await client.send(head("OPTIONS /", "Max-Forwards: 0"));
    expect(await client.readHead()).toBe(answer("204 No Content"));
    expect(dialed).toEqual([]);
    await client.send(head("OPTIONS /", "Max-Forwards: 10"));
    expect(await (await upstream()).readHead()).toBe(head("OPTIONS /", "Max-Forwards: 9"));
  });

  test.each(["TRACE /", "CONNECT a.test:80"])("%s is refused", async (line) => {
    const { client, dialed } = await proxied();
    await client.send(head(line));
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 501 /);
    expect(dialed).toEqual([]);
  });
});

describe("a proposal goes through a reverse proxy:", () => {
  test("with a body, early bytes, the reason and the fields of its 101, and half-close both ways", async () => {
    const { client, upstream } = await proxied({ protocols: ["Chat/2"] });
    const request = `${head("POST /", "Connection: Upgrade", "Upgrade: chat/2", "Content-Length: 2")}hi`;
    await client.send(request);
    const origin = await upstream();
    const forwarded = await origin.readUntil("hi");
    expect(forwarded).toBe(
      "POST / HTTP/1.1\r\nConnection: Upgrade\r\nHost: a.test\r\nUpgrade: chat/2\r\nContent-Length: 2\r\n\r\nhi",
    );
    const fields = ["Connection: Upgrade", "x-Token: 1", "UPGRADE: chat/2", "X-token: 2"];
    await origin.send(`${answer("101 Let us talk", ...fields)}early`);
    expect(await client.readUntil("early")).toBe(`${answer("101 Let us talk", ...fields)}early`);
    await client.send("ping");
    expect(await origin.read(4)).toBe("ping");
    await client.end();
    expect(await origin.readToEnd()).toBe("");
    await origin.send("and on");
    expect(await client.read(6)).toBe("and on");
    await origin.end();
    expect(await client.readToEnd()).toBe("");
  });

  test("not h2c, and what else is not named: it is an ordinary request then", async () => {
    const { client, upstream } = await proxied({ protocols: ["websocket"] });
    const h2c = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"];
    await client.send(head("GET /", ...h2c));
    const origin = await upstream();
    expect(await origin.readHead()).toBe(head("GET /"));
    await origin.send(answer("200 OK", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 0"));
    expect(await client.readHead()).toBe(answer("200 OK", "Content-Length: 0"));
  });

  test("h2c if it is named, still without HTTP2-Settings", async () => {
    const { client, upstream } = await proxied({ protocols: ["h2c"] });
    const h2c = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"];
    await client.send(head("GET /", ...h2c));
    expect(await (await upstream()).readHead()).not.toContain("HTTP2-Settings");
  });

  test("a refusal has its status, reason, fields and body, and ends its connection", async () => {
    const { client, upstream, another } = await proxied({ protocols: ["websocket"] });
    await client.send(head("GET /", ...WEBSOCKET));
    const origin = await upstream();
    await origin.readHead();
    await origin.send(`${answer("403 Not you", "X-Why: 1", "Content-Length: 4")}nope`);
    expect(await client.readToEnd()).toBe(
      `${answer("403 Not you", "X-Why: 1", "Content-Length: 4", "Connection: close")}nope`,
    );
    expect(await origin.readToEnd()).toBe("");
    const next = await another();
    await next.send(head("GET /"));
    expect(await (await upstream()).readHead()).toBe(head("GET /"));
  });

  test("a 426 keeps the protocols that are relayed; without any it is a 502", async () => {
    for (const [protocol, status] of [
      ["websocket", "426 Upgrade Required"],
      ["other", "502 Bad Gateway"],
    ]) {
      const { client, upstream, failures } = await proxied({ protocols: ["websocket"] });
      await client.send(head("GET /"));
      const origin = await upstream();
      await origin.readHead();
      const fields = ["Connection: Upgrade", `Upgrade: ${protocol}`, "Content-Length: 0"];
      await origin.send(answer("426 Upgrade Required", ...fields));
      expect(await client.readHead()).toContain(`HTTP/1.1 ${status}\r\n`);
      expect(failures).toEqual(protocol === "other" ? ["BAD_SWITCH"] : []);
    }
  });

  test("one that is stacked on another is a 502, and its connection ends", async () => {
    const { client, upstream, failures } = await proxied({ protocols: ["a", "b"] });
    await client.send(head("GET /", "Connection: Upgrade", "Upgrade: a, b"));
    const origin = await upstream();
    await origin.readHead();
    await origin.send(answer("101 x", "Connection: Upgrade", "Upgrade: a, b"));
    expect(await client.readHead()).toContain("Proxy-Status: proxy; error=http_upgrade_failed\r\n");
    expect(failures).toEqual(["BAD_SWITCH"]);
    await origin.failed();
  });

  test("its end is reported, with the bytes each way", async () => {
    const ends: unknown[] = [];
    const { client, upstream } = await proxied({
      ...{ protocols: ["websocket"], origin: "http://b.test" },
      onTunnel: ({ request, ...end }) => ends.push([request.target, end]),
    });
    await client.send(head("GET /ws", ...WEBSOCKET));
    const origin = await upstream();
    await origin.readHead();
    await origin.send(`${answer("101 x", ...WEBSOCKET)}four`);
    await client.readUntil("four");
    await client.send("fives");
    await origin.readUntil("fives");
    await origin.end();
    await client.readToEnd();
    await client.end();
    await turns();
    const where = { where: "http://b.test", protocol: "websocket" };
    expect(ends).toEqual([["/ws", { ...where, up: 5, down: 4, endedBy: "upstream" }]]);
  });
});
