import type { Story } from "../src/samples/story.ts";

const PAIRS = `
  import { memoryPair } from "@upgrade/core/testing";
  const connectedPair = async () => memoryPair();`;
const SERVICE = "const service = () => ({ status: 200 });";

// Two exchanges, then a switch; its span ends with its socket.
const SPANS = `
  import { handshake, upgrade } from "@upgrade/client";
  import { open, serve } from "@upgrade/node";
  import { InMemorySpanExporter, BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
  const exporter = new InMemorySpanExporter();
  api.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  const service = async (request) => {
    if (request.proposal === undefined) return { status: 200, body: "hello" };
    const { io } = await request.switchTo("echo");
    io.pipe(io);
  };
  const server = await serve(service, { host: "127.0.0.1", trace });
  const spans = () =>
    exporter.getFinishedSpans().map(({ name, attributes, events, status }) => [
      name,
      attributes["url.path"],
      attributes["http.response.status_code"],
      events.map(({ attributes }) => attributes.protocol).join(),
      status.code,
    ].join(" ").trim());
  const headers = { Host: "a.test" };
  const { sender, connection } = await handshake(await open(server.url));
  for (const target of ["/1", "/2"]) {
    await (await sender.sendRequest({ method: "GET", target, headers })).body.text();
  }
  await connection.close();
  const { io } = await upgrade(await open(server.url), { target: "/echo", headers, protocol: "echo" });
  console.log(spans().join("\\n"));
  exporter.reset();
  io.resume().end();
  await server.close();
  console.log(spans().join("\\n"));`;

const WATCHED = `
  import { connect } from "@upgrade/client";
  import { memoryPair } from "@upgrade/core/testing";
  import { handshake } from "@upgrade/server";
  const [near, far] = memoryPair();
  await handshake(far, () => ({ status: 403 }));
  await connect(near, "b.test:443");`;

/** Samples without a peer: they run to their end, and print what the docs say. */
export const PROGRAMS: readonly Story[] = [
  {
    sample: "README.md: Both ends in one file",
    serves: "8080",
    prints: "welcome, and back again\n",
  },
  {
    sample: "docs/guides/your-own-protocol.md: From nothing, both ends",
    serves: "8080",
    prints: "at most 80\nAGREED ON 40\n",
  },
  {
    sample: "docs/guides/your-own-protocol.md: The object",
    given: `
      const chat = () => ({ status: 200 });
      const isMember = async () => false;`,
    after: `
      const { Headers } = await import("@upgrade/server");
      console.log((await service({ headers: new Headers() })).status);`,
    prints: "401\n",
  },
  { sample: "docs/coming-from/h11.md: There and here", prints: "early\n" },
  { sample: "docs/runtimes/node.md: On Node", serves: "8080", prints: "200 hello\n\n" },
  {
    sample: "docs/runtimes/browser.md: In a browser",
    given: `
      const listeners = [];
      const addEventListener = (_, listener) => listeners.push(listener);`,
    after: `
      const { handshake: connect } = await import("@upgrade/client");
      const { port1, port2 } = new MessageChannel();
      for (const listener of listeners) listener({ data: port2 });
      const { sender, connection } = await connect(portStream(port1));
      const headers = { Host: "worker" };
      const response = await sender.sendRequest({ method: "GET", target: "/a", headers });
      console.log(response.status, await response.body.text());
      await connection.close();`,
    prints: "200 /a\n\n",
  },
  {
    sample: "docs/runtimes/browser.md: In a browser (2)",
    given: `
      const { handshake: serve } = await import("@upgrade/server");
      const answer = ({ target }) => ({ status: 200, body: target });
      const worker = { postMessage: (port) => void serve(portStream(port), answer) };`,
    prints: "200 /hello\n",
  },
  {
    sample: "docs/guides/by-hand.md: By hand: the protocol without io",
    prints: "GET /\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\nok\n\n\n",
  },
  {
    sample: "docs/guides/by-hand.md: What you can send",
    prints: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n\n",
  },
  {
    sample: "docs/guides/by-hand.md: A switch",
    prints: "paused echo\ntrue first bytes\n",
  },
  {
    sample: "packages/websocket/README.md: @upgrade/websocket",
    serves: "8080",
    prints: "chat.v1: you sent hello\n",
  },
  { sample: "packages/core/README.md: @upgrade/core", prints: "GET /x\n" },
  { sample: "docs/transports.md: Adapters", prints: "hello\n" },
  {
    sample: "docs/guides/tracing.md: Spans",
    after: SPANS,
    prints: "GET /1 200  0\nGET /2 200  0\nGET /echo 101 echo 0\n",
  },
  {
    sample: "docs/guides/tracing.md: The whole process",
    after: WATCHED,
    prints: "server CONNECT b.test:443 403\nclient CONNECT b.test:443 403\n",
  },
  { sample: "packages/core/src/http-connection.ts: HttpConnection", prints: "GET /\n" },
  {
    sample: "docs/guides/own-transport.md: A transport of your own",
    given: PAIRS,
    after: `
      const [near, far] = await connectedPair();
      const meter = new Meter(near);
      await meter.write([new Uint8Array(5)]);
      await far.write([new Uint8Array(2)]);
      await meter.read();
      await meter.closeWrite();
      console.log(meter.bytes, (await far.read())?.length, await far.read());`,
    prints: "7 5 \n",
  },
  {
    sample: "docs/guides/testing.md: A connection in memory",
    prints: "you asked for /x\n",
  },
  {
    sample: "docs/guides/testing.md: A peer that misbehaves",
    given: SERVICE,
    after: "console.log(answer.slice(0, 12));",
    prints: "HTTP/1.1 400\n",
  },
  {
    sample: "docs/guides/testing.md: A manual clock",
    given: SERVICE,
    after: "console.log(late.slice(0, 12), reason.kind, clock.pending);",
    prints: "HTTP/1.1 408 failed 0\n",
  },
];
