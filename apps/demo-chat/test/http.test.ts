// The HTTP side of the chat, requested by node:http and by raw sockets.

import { once } from "node:events";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { expect, test } from "vitest";
import { joinChat } from "../src/terminal-client.ts";
import { chat, RawPeer, webSocketRequest } from "./chat-fixture.ts";

async function ask(options: RequestOptions): Promise<{ response: IncomingMessage; body: string }> {
  const server = await chat();
  const outgoing = request({ host: "127.0.0.1", port: server.port, agent: false, ...options });
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { response, body };
}

const WEBSOCKET = {
  "Connection": "Upgrade",
  "Upgrade": "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol": "chat.v1",
};

test.each([
  ["/", "text/html", /^<!doctype html>/],
  ["/?name=a", "text/html", /^<!doctype html>/],
  ["/r/garden", "text/html", /^<!doctype html>/],
  ["/page.css", "text/css", /#log/],
  ["/page.js", "text/javascript", /^\/\/ no browser/],
])("%s is %s, and may load from its own origin only", async (path, type, content) => {
  const { response, body } = await ask({ path });
  expect(response.statusCode).toBe(200);
  expect(response.headers["content-type"]).toBe(`${type}; charset=utf-8`);
  expect(response.headers["content-length"]).toBe(String(Buffer.byteLength(body)));
  expect(response.headers["content-security-policy"]).toMatch(/^default-src 'none'/);
  expect(response.headers["content-security-policy"]).not.toContain("unsafe");
  expect(body).toMatch(content);
});

test("/healthz is 200 while the server runs", async () => {
  const { response, body } = await ask({ path: "/healthz" });
  expect([response.statusCode, body]).toEqual([200, "ok\n"]);
});

test("/metrics counts people, switches, refusals, messages and ends", async () => {
  const server = await chat();
  const url = new URL(server.url);
  const alice = await joinChat(url, { name: "alice" });
  await alice.next();
  alice.say("hello");
  await alice.next();
  await expect(joinChat(url, { name: "x".repeat(25) })).rejects.toThrow("400");
  const bob = await joinChat(url, { name: "bob" });
  await bob.leave();
  await alice.next();
  expect(await alice.next()).toEqual({ type: "left", name: "bob" });
  const counts = (await (await fetch(new URL("/metrics", url))).text()).split("\n");
  for (const line of [
    "chat_people 1",
    "chat_rooms 1",
    'chat_switches_total{protocol="websocket"} 2',
    'chat_refusals_total{status="400"} 1',
    'chat_closings_total{code="1000"} 1',
    "chat_messages_total 1",
  ]) {
    expect(counts).toContain(line);
  }
});

test("HEAD / has the head of GET and no body", async () => {
  const { response, body } = await ask({ path: "/?name=a", method: "HEAD" });
  const page = await ask({ path: "/" });
  expect(response.statusCode).toBe(200);
  expect(body).toBe("");
  expect({ ...response.headers, date: "" }).toEqual({ ...page.response.headers, date: "" });
});

test.each([
  ["GET", "/nothing", 404, {}],
  ["GET", "/chat/", 404, {}],
  ["GET", "/r/", 404, {}],
  ["GET", "/r/No", 404, {}],
  ["GET", "//", 404, {}],
  ["OPTIONS", "*", 404, {}],
  ["POST", "/", 405, { allow: "GET, HEAD" }],
  ["POST", "/chat", 405, { allow: "GET" }],
  ["HEAD", "/chat", 405, { allow: "GET" }],
  ["GET", "/chat", 426, { "upgrade": "websocket", "sec-websocket-version": "13" }],
])("%s %s is %i", async (method, path, status, headers) => {
  const { response, body } = await ask({ method, path });
  expect(response.statusCode).toBe(status);
  expect(response.headers).toMatchObject(headers);
  if (method !== "HEAD") expect(body).toMatch(/\n$/);
});

test.each([
  ["/elsewhere", {}, 404],
  ["/chat", { "Upgrade": "irc" }, 426],
  ["/chat", { "Sec-WebSocket-Version": "8" }, 426],
  ["/chat", { "Sec-WebSocket-Key": "short" }, 400],
  ["/chat", { "Sec-WebSocket-Protocol": "a b" }, 400],
  ["/chat", { "Sec-WebSocket-Protocol": "chat.v9" }, 400],
  ["/chat", { "Origin": "https://elsewhere.example" }, 403],
  ["/chat", { "Origin": "null" }, 403],
  ["/wire?of=short", { "Sec-WebSocket-Protocol": "wire.v1" }, 400],
  ["/chat?room=No", {}, 400],
  ["/chat?name=", {}, 400],
  [`/chat?name=${"x".repeat(25)}`, {}, 400],
])("refuses to switch %s with %j: responds %i and closes", async (path, changes, status) => {
  const { response, body } = await ask({ path, headers: { ...WEBSOCKET, ...changes } });
  expect(response.statusCode).toBe(status);
  expect(response.headers.connection).toMatch(/\bclose\b/);
  expect(body).toMatch(/\n$/);
});

test("an HTTP/1.0 request cannot switch", async () => {
  const peer = await RawPeer.connect((await chat()).port);
  peer.socket.write(webSocketRequest().replace("HTTP/1.1", "HTTP/1.0"));
  await once(peer.socket, "end");
  expect(peer.text).toMatch(/^HTTP\/1\.1 400 /);
  expect(peer.text).toContain("WebSocket needs HTTP/1.1");
});

test("the absolute form names the same resource", async () => {
  const peer = await RawPeer.connect((await chat()).port);
  peer.socket.write(webSocketRequest({}, "http://chat.test/chat?name=raw"));
  await peer.until((text) => text.includes("welcome"));
  expect(peer.text).toMatch(/^HTTP\/1\.1 101 /);
});
