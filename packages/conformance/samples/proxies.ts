import { expect } from "vitest";
import type { Cast, Story } from "../src/samples/story.ts";

async function* tunnelThrough(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(`CONNECT 127.0.0.1:${cast.port} HTTP/1.1\r\n`);
  yield "half of the request has arrived";
  await client.send("Host: a.test\r\n\r\n");
  yield "the request has arrived";
  const upstream = await cast.accept();
  yield "the upstream is connected";
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  yield "the tunnel is open";
  await client.send("ping");
  expect(await upstream.read(4)).toBe("ping");
  await upstream.send("pong");
  expect(await client.read(4)).toBe("pong");
  yield "bytes went both ways";
  await upstream.end();
  expect(await client.readToEnd()).toBe("");
  yield "the upstream has ended its side";
  await client.send("and on");
  expect(await upstream.read(6)).toBe("and on");
}

async function* refusesOthers(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 405 /);
  yield "a request is refused";
  await client.send("CONNECT 127.0.0.2:80 HTTP/1.1\r\nHost: a.test\r\n\r\n");
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 403 /);
}

async function* credited(cast: Cast) {
  const proxy = await cast.accept();
  yield "the proxy is connected";
  const head = await proxy.readHead();
  expect(head).toMatch(/^CONNECT a\.test:443 HTTP\/1\.1\r\n/);
  expect(head).toContain("\r\nProxy-Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n");
  yield "the proxy has the request";
  await proxy.send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\n");
  await proxy.readToLast();
}

async function* refusedByProxy(cast: Cast) {
  const proxy = await cast.accept();
  yield "the proxy is connected";
  expect(await proxy.readHead()).toMatch(/^CONNECT a\.test:80 HTTP\/1\.1\r\n/);
  yield "the proxy has the request";
  await proxy.send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\n");
  yield "the proxy has refused, except for the body";
  // The sample ends the connection by itself, and does not wait for the body.
  await proxy.readToLast();
}

async function* relays(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send("POST /a HTTP/1.0\r\nContent-Length: 4\r\n\r\n");
  yield "the head has arrived";
  const origin = await cast.accept();
  yield "the origin is connected";
  const head = await origin.readHead();
  expect(head).toMatch(/^POST \/a HTTP\/1\.1\r\n[\s\S]*Host: [\s\S]*Via: 1\.0 edge/);
  await client.send("body");
  expect(await origin.read(4)).toBe("body");
  yield "the request was relayed";
  await origin.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  yield "the interim response has arrived";
  await origin.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 OK/);
  yield "half of the response has arrived";
  await origin.send("llo");
  expect(await client.read(5)).toBe("hello");
}

async function* relaysInterim(cast: Cast) {
  const client = await cast.dial();
  await client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  const origin = await cast.accept();
  await origin.readHead();
  await origin.send("HTTP/1.1 100 Continue\r\n\r\n");
  await origin.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n/);
  yield "the interim response has arrived";
  origin.reset();
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 502 /);
}

/** Requests that our server accepts, and what the origin gets. */
const ODD: readonly [request: string, line: RegExp, body: string][] = [
  ["GET / HTTP/1.1\r\nExpect: 100-continue\r\n", /^GET \/ (?![\s\S]*Expect)/, ""],
  [
    "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n",
    /^POST \/a (?![\s\S]*Expect)/,
    "",
  ],
  ["PUT / HTTP/1.1\r\nTrailer: X-Sum\r\n", /^PUT \/ (?![\s\S]*Trailer)/, ""],
  ["OPTIONS * HTTP/1.1\r\n", /^OPTIONS \* /, ""],
  ["DELETE / HTTP/1.1\r\nContent-Length: 4\r\n", /^DELETE \/ [\s\S]*\r\nContent-Length: 4/, "body"],
];

type Odd = (typeof ODD)[number];

const relaysOdd = ([request, line, body]: Odd) =>
  async function* (cast: Cast) {
    const client = await cast.dial();
    await client.send(`${request}Host: a.test\r\n\r\n${body}`);
    const origin = await cast.accept();
    expect(await origin.readHead()).toMatch(line);
    yield "the request was relayed";
    expect(await origin.read(body.length)).toBe(body);
    await origin.send("HTTP/1.1 204 No Content\r\n\r\n");
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 204 /);
  };

const PROPOSAL = "Host: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
const ACCEPTED = "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";

const relaysOddProposal = ([request, line, body]: Odd) =>
  async function* (cast: Cast) {
    const client = await cast.dial();
    await client.send(`${request}${PROPOSAL}\r\n${body}`);
    const origin = await cast.accept();
    expect(await origin.readHead()).toMatch(line);
    yield "the proposal was relayed";
    expect(await origin.read(body.length)).toBe(body);
    await origin.send(`${ACCEPTED}Content-Length: 0\r\n\r\nhello`);
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 (?![\s\S]*Content-Length)/);
    expect(await client.read(5)).toBe("hello");
  };

const refusesTrace = (fields: string, status: number) =>
  async function* (cast: Cast) {
    const client = await cast.dial();
    yield "the client is connected";
    await client.send(`TRACE / HTTP/1.1\r\nContent-Length: 4\r\n${fields}\r\nbody`);
    expect(await client.readHead()).toContain(` ${status} `);
  };

async function* relaysExpectation(cast: Cast) {
  const client = await cast.dial();
  await client.send(
    `POST / HTTP/1.1\r\n${PROPOSAL}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`,
  );
  const origin = await cast.accept();
  expect(await origin.readHead()).toMatch(/\r\nExpect: 100-continue\r\n/);
  yield "the proposal was relayed";
  await origin.send("HTTP/1.1 100 Continue\r\n\r\n");
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 100 /);
  yield "the body is requested";
  await client.send("body");
  expect(await origin.read(4)).toBe("body");
  await origin.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  expect(await client.readUntil("no")).toMatch(/^HTTP\/1\.1 403 /);
}

async function* relaysUpgrade(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(
    "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
  );
  const origin = await cast.accept();
  yield "the origin is connected";
  expect(await origin.readHead()).toMatch(/\r\nUpgrade: websocket\r\n/);
  yield "the proposal was relayed";
  await origin.send(
    "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Key: 1\r\n\r\nearly",
  );
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\nX-Key: 1\r\n/);
  expect(await client.read(5)).toBe("early");
  yield "both have switched";
  await client.send("ping");
  expect(await origin.read(4)).toBe("ping");
  yield "bytes went up";
}

const REVERSE = "docs/guides/connect-proxy.md: A reverse proxy";

const CONNECT = "docs/guides/proxies.md: A CONNECT proxy";
const WHOLE = "docs/guides/proxies.md: Any request, any upgrade";
const SHORTEST = "packages/proxy/README.md: @upgrade/proxy";
const PROXY = "docs/guides/connect-proxy.md: A proxy";
const THROUGH = "docs/guides/connect-proxy.md: Through a proxy";

export const PROXIES: readonly Story[] = [
  ...[tunnelThrough, refusesOthers].map((play) => ({
    sample: PROXY,
    serves: "3128",
    asks: "8081",
    play,
  })),
  { sample: THROUGH, asks: "3128", throws: "answered 407: give its credentials", play: credited },
  {
    sample: `${THROUGH} (2)`,
    asks: "3128",
    throws: "the proxy answered 407",
    play: refusedByProxy,
  },
  ...[relays, relaysInterim, ...ODD.map(relaysOdd), refusesTrace("Host: a\r\n", 501)].map(
    (play) => ({ sample: REVERSE, serves: "8080", asks: "8081", play }),
  ),
  ...[
    relaysUpgrade,
    relaysExpectation,
    ...ODD.map(relaysOddProposal),
    refusesTrace(PROPOSAL, 404),
  ].map((play) => ({
    sample: "docs/guides/connect-proxy.md: Relaying an upgrade",
    serves: "8080",
    asks: "8081",
    play,
  })),
  ...[relays, relaysInterim, relaysUpgrade, relaysExpectation, ...ODD.map(relaysOdd)].map(
    (play) => ({ sample: WHOLE, serves: "8080", asks: "8081", play }),
  ),
  ...[tunnelThrough, refusesOthers].map((play) => ({
    sample: CONNECT,
    serves: "3128",
    asks: "8081",
    play,
  })),
  { sample: SHORTEST, serves: "8080", asks: "8081", play: relaysUpgrade },
];
