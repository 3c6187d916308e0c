import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Cast, Story } from "../src/samples/story.ts";

const spdy = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n";

async function* relaysAnyUpgrade(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(`POST /exec HTTP/1.1\r\nHost: a.test\r\n${spdy}Content-Length: 2\r\n\r\n`);
  const origin = await cast.accept();
  yield "the origin is connected";
  expect(await origin.readHead()).toContain(
    "\r\nForwarded: for=127.0.0.1;host=a.test;proto=http\r\n",
  );
  await client.send("hi");
  expect(await origin.read(2)).toBe("hi");
  yield "the proposal was relayed";
  await origin.send(`HTTP/1.1 101 x\r\n${spdy}\r\nearly`);
  expect(await client.readUntil("early")).toMatch(/^HTTP\/1\.1 101 x\r\n/);
  yield "both have switched";
  await client.send("ping");
  expect(await origin.read(4)).toBe("ping");
  await origin.end();
  expect(await client.readToEnd()).toBe("");
  yield "the origin has ended its side";
  await client.send("and on");
  expect(await origin.read(6)).toBe("and on");
}

async function* fallsBack(cast: Cast) {
  const probe = await cast.dial();
  yield "the client is connected";
  const websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  await probe.send(`GET /exec HTTP/1.1\r\nHost: a.test\r\n${websocket}\r\n`);
  const refused = await probe.readUntil("not websocket.\n");
  expect(refused).toMatch(/^HTTP\/1\.1 426 [\s\S]*\r\nUpgrade: SPDY\/3\.1\r\n/);
}

async function* relaysFallback(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(`POST /exec HTTP/1.1\r\nHost: a.test\r\n${spdy}\r\n`);
  const origin = await cast.accept();
  expect(await origin.readHead()).toContain("Upgrade: SPDY/3.1\r\n");
  yield "the other protocol was relayed";
  await origin.send(`HTTP/1.1 101 x\r\n${spdy}\r\nhello`);
  expect(await client.readUntil("hello")).toMatch(/^HTTP\/1\.1 101 /);
  yield "both have switched";
}

const credentials = (user: string) => `Basic ${Buffer.from(user).toString("base64")}`;

const as = (user: string) => `Host: a.test\r\nProxy-Authorization: ${credentials(user)}\r\n\r\n`;

async function* letsThrough(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(`CONNECT 127.0.0.1:${cast.port} HTTP/1.1\r\n${as("ann:secret")}`);
  const destination = await cast.accept();
  yield "the destination is connected";
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  await client.send("ping");
  expect(await destination.read(4)).toBe("ping");
  yield "bytes went up";
  await destination.end();
  await client.end();
  await cast.stage.until("the audit", () => cast.stage.printed.includes('"up":4'));
  expect(JSON.parse(cast.stage.printed)).toMatchObject({ user: "ann", up: 4, down: 0 });
}

const turnsAway = (fields: string, authority: string, expected: RegExp) =>
  async function* (cast: Cast) {
    const client = await cast.dial();
    yield "the client is connected";
    await client.send(`CONNECT ${authority} HTTP/1.1\r\n${fields}`);
    expect(await client.readHead()).toMatch(expected);
    yield "the client is refused";
  };

const REFUSALS = [
  turnsAway(
    "Host: a.test\r\n\r\n",
    "127.0.0.1:80",
    /^HTTP\/1\.1 407 [\s\S]*\r\nProxy-Authenticate: Basic /,
  ),
  turnsAway(as("ann:guess"), "127.0.0.1:8081", /^HTTP\/1\.1 407 /),
  turnsAway(as("ann:secret"), "127.1:22", /^HTTP\/1\.1 403 /),
];

const frame = (channel: number, text: string) =>
  `${String.fromCharCode(channel, 0, 0, 0, 0, 0, 0, text.length)}${text}`;

async function* executes(cast: Cast) {
  const docker = await cast.accept();
  yield "Docker is connected";
  expect(await docker.readUntil('"Tty":false}')).toMatch(
    /^POST \/v1\.43\/exec\/id\/start [\s\S]*\r\nUpgrade: tcp\r\n/,
  );
  yield "Docker has the request";
  const accepted = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
  await docker.send(`${accepted}${frame(1, "hel")}${frame(1, "lo\n").slice(0, 3)}`);
  yield "Docker has switched";
  await docker.send(frame(1, "lo\n").slice(3));
  await docker.end();
}

async function* refusesToExecute(cast: Cast) {
  const docker = await cast.accept();
  await docker.readUntil('"Tty":false}');
  yield "Docker has the request";
  await docker.send("HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\nno such exec");
  await docker.readToLast();
}

const message = (channel: number, text: string) =>
  `\x82${String.fromCharCode(text.length + 1, channel)}${text}`;

async function* executesInPod(cast: Cast) {
  const kube = await cast.accept();
  yield "Kubernetes is connected";
  const head = await kube.readHead();
  expect(head).toMatch(
    /^GET \/api\/v1\/namespaces\/default\/pods\/pod\/exec\?stdout=true&stderr=true /,
  );
  yield "Kubernetes has the request";
  const [, key = ""] = /\r\nSec-WebSocket-Key: (.*)\r\n/.exec(head) ?? [];
  const hash = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const fields = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Accept: ${hash.digest("base64")}`,
    "Sec-WebSocket-Protocol: v4.channel.k8s.io",
  ];
  await kube.send(`HTTP/1.1 101 x\r\n${fields.join("\r\n")}\r\n\r\n${message(1, "hello\n")}`);
  yield "Kubernetes has switched";
  await kube.send(message(3, '{"status":"Success"}'));
  yield "the command has ended";
  await kube.send("\x88\x02\x03\xe8");
  await kube.readToLast();
}

export const EXAMPLES: readonly Story[] = [
  {
    sample: "examples/reverse-proxy.ts: program",
    serves: "8080",
    asks: "8081",
    play: relaysAnyUpgrade,
  },
  ...[fallsBack, relaysFallback].map((play) => ({
    sample: "examples/gateway-426.ts: program",
    serves: "8080",
    asks: "8081",
    play,
  })),
  ...[letsThrough, ...REFUSALS].map((play) => ({
    sample: "examples/egress-proxy.ts: program",
    serves: "3128",
    asks: "8081",
    play,
  })),
  {
    sample: "examples/docker-exec.ts: program",
    asks: "8081",
    prints: "hello\n",
    play: executes,
  },
  {
    sample: "examples/docker-exec.ts: program",
    asks: "8081",
    throws: "Docker answered 404: no such exec",
    play: refusesToExecute,
  },
  {
    sample: "examples/kube-exec.ts: program",
    asks: "8081",
    prints: "hello\n",
    play: executesInPod,
  },
];
