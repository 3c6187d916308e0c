// Prints which parts of its messages the process still holds, while a connection is open and after each
// way to end it, next to another open connection: node what-is-kept.mjs client|server
import { randomBytes } from "node:crypto";
import { getHeapSnapshot, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { handshake as connectTo, upgrade } from "@upgrade/client";
import { memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";

const memories = [];
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(module, imports) {
    super(module, imports);
    if (this.exports.memory !== undefined) memories.push(this.exports.memory);
  }
};

const [role] = process.argv.slice(2);
// How the connection ends.
let end;
const chunks = [];

/** A unique text that names what it is part of. */
const part = (of) => `kept-${of}-${randomBytes(12).toString("hex")}`;
const PART = /kept-([a-z]+)-[0-9a-f]{24}/g;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

async function turns(count = 10) {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The parts of messages found in the heap, in WebAssembly's memory, and in received chunks. */
async function kept() {
  for (let i = 0; i < 4; i++) {
    collect();
    await turns();
  }
  const found = new Set();
  let rest = "";
  for await (const chunk of getHeapSnapshot()) {
    const text = rest + chunk.toString("latin1");
    for (const [, of] of text.matchAll(PART)) found.add(of);
    rest = text.slice(-100);
  }
  const wasm = memories.map(({ buffer }) => Buffer.from(buffer).toString("latin1")).join("");
  return {
    heap: [...found].sort(),
    wasm: [...new Set([...wasm.matchAll(PART)].map(([, of]) => of))].sort(),
    chunks: chunks.filter((chunk) => chunk.deref() !== undefined).length,
  };
}

/** An io whose chunks are tracked weakly. */
function observed(io) {
  return {
    read: async () => {
      const chunk = await io.read();
      if (chunk !== null) chunks.push(new WeakRef(chunk));
      return chunk;
    },
    cancelRead: () => io.cancelRead(),
    write: (pieces) => io.write(pieces),
    closeWrite: () => io.closeWrite(),
    abort: (reason) => io.abort(reason),
    gone: io.gone,
  };
}

async function send(far, ...texts) {
  for (const text of texts) {
    await far.write([Buffer.from(text, "latin1")]);
    await turns();
  }
}

const request = (line, ...fields) =>
  [
    `${line} HTTP/1.1`,
    `Host: ${part("host")}.test`,
    `Authorization: ${part("authorization")}`,
    `Cookie: ${part("cookie")}`,
    `x-${part("name")}: 1`,
    ...fields,
    "",
    "",
  ].join("\r\n");

const response = (line, ...fields) =>
  [`HTTP/1.1 ${line}`, `Set-Cookie: ${part("setcookie")}`, ...fields, "", ""].join("\r\n");

// Every way to read and answer a head: in one chunk with others, in pieces, with a fault.
async function serve() {
  const [near, far] = memoryPair();
  const options = { keepAliveAfterRefusal: true };
  const service = (asked) => {
    for (const [name] of asked.headers) asked.headers.get(name);
    if (end === "switch" && asked.proposal !== undefined) {
      return {
        status: 101,
        headers: { Connection: "Upgrade", Upgrade: asked.proposal.protocols[0] },
      };
    }
    const headers = [["Set-Cookie", part("setcookie")]];
    return { status: 200, reason: part("reason"), headers, body: part("body") };
  };
  const { connection } = await serveOn(observed(near), service, options);
  const two = `${request(`GET /${part("target")}`)}${request("GET /2")}`;
  const three = request(`GET /${part("target")}`);
  const expecting = request("POST /", "Expect: 100-continue", "Content-Length: 1");
  await send(far, two, three.slice(0, 150), three.slice(150), `${expecting}x`);
  const upgrading = [`Connection: Upgrade`, `Upgrade: ${part("protocol")}`];
  if (end === "fault") await send(far, request("GET /", ` ${part("fault")}`));
  else await send(far, request("GET /", ...upgrading));
  return { connection, far };
}

async function ask() {
  const [near, far] = memoryPair();
  const { sender, connection } = await connectTo(observed(near), { pipeline: 2 });
  const asking = (method) => ({
    method,
    target: `/${part("target")}`,
    headers: [
      ["Host", `${part("host")}.test`],
      ["Authorization", part("authorization")],
    ],
  });
  const answered = [
    sender.sendRequest({ ...asking("POST"), body: part("body") }),
    sender.sendRequest(asking("GET")),
    sender.sendRequest(asking("GET")),
  ];
  const ok = () => response(`200 ${part("reason")}`, "Content-Length: 0");
  const last = ok();
  await send(far, ok(), last.slice(0, 30), `${last.slice(30)}${ok()}`);
  for (const one of answered) {
    const { headers, body } = await one;
    for (const [name] of headers) headers.get(name);
    await body.text();
  }
  if (end === "fault") {
    const asked = sender.sendRequest(asking("GET")).catch(() => {});
    await send(far, response("200 OK", ` ${part("fault")}`));
    await asked;
  } else {
    const headers = { Host: "a.test", Connection: "Upgrade", Upgrade: part("protocol") };
    const asked = sender.sendRequest({ ...asking("GET"), headers });
    const { Upgrade } = headers;
    const accepted = ["Connection: Upgrade", `Upgrade: ${Upgrade}`];
    if (end === "switch") await send(far, response("101 Switching Protocols", ...accepted));
    else await send(far, response("404 No", "Content-Length: 0"));
    await asked;
  }
  return { connection, far, sender, asking };
}

async function finish({ connection, far, sender, asking }) {
  if (end === "switch") connection.intoParts();
  else if (end === "abort") connection.abort();
  else {
    const closed = connection.close();
    for (let read = ""; read !== null; ) read = await far.read().catch(() => null);
    await far.closeWrite();
    await closed;
  }
  // Too late, and refused: both are checked before they fail.
  await sender?.sendRequest(asking("GET")).catch(() => {});
  await sender?.sendRequest({ ...asking("GET"), method: "NO TOKEN" }).catch(() => {});
  if (role === "client") await upgrade(memoryPair()[0], asking("G T")).catch(() => {});
}

// Another connection, which stays open, and whose messages are not tracked.
const [io, peer] = memoryPair();
const other = await serveOn(io, () => ({ status: 204 }));
await send(peer, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");

let before;
const after = {};
for (end of ["close", "abort", "switch", "fault"]) {
  let open = role === "server" ? await serve() : await ask();
  before ??= await kept();
  await finish(open);
  open = undefined;
  after[end] = await kept();
}
const isOtherOpen = other.connection.closeReason === undefined;
console.log(JSON.stringify({ before, after, isOtherOpen }));
process.exit(0);
