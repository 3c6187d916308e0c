import { createRequire } from "node:module";
import type net from "node:net";
import { handOver, incomingMessage } from "@upgrade/node";
import { type Service, switching } from "@upgrade/server";
import { adopt, websocket } from "@upgrade/websocket";
import { type Client, createClient, GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { head } from "../../src/messages.ts";
import { closeAfterEach, closed, dial, portOf, serveHere } from "../../src/pairs/listening.ts";
import { closeLater } from "../../src/pairs/loopback.ts";
import { NEWEST } from "../../src/websocket/versions.ts";

closeAfterEach();

// The copy that graphql-ws uses: graphql takes no schema of another, such as the one for bundlers.
const load = createRequire(import.meta.url);
const { buildSchema } = load("graphql") as typeof import("graphql");

const schema = buildSchema(`
  type Query { hello: String }
  type Subscription { count(to: Int!): Int, forever: Int }
`);

/** Counts. `forever` has one value and never another, and calls `left` when the client leaves it. */
function roots(left: () => void) {
  const done = Promise.resolve({ value: undefined, done: true });
  return {
    query: { hello: () => "world" },
    subscription: {
      async *count({ to }: { to: number }) {
        for (let count = 1; count <= to; count++) yield { count };
      },
      forever() {
        const values = [Promise.resolve({ value: { forever: 0 }, done: false })];
        return {
          [Symbol.asyncIterator]: () => ({
            next: () => values.pop() ?? new Promise<never>(() => {}),
            return() {
              left();
              return done;
            },
          }),
        };
      },
    },
  };
}

type Params = Readonly<Record<string, unknown>>;
const letsIn = ({ connectionParams }: { connectionParams?: Params }) =>
  connectionParams?.secret !== "wrong";

/** A server of graphql-ws. Its WebSockets come from us. */
function graphQl() {
  const webSockets = new WebSocketServer({ noServer: true });
  let left!: () => void;
  const wasLeft = new Promise<void>((resolve) => {
    left = resolve;
  });
  useServer({ schema, roots: roots(left), onConnect: letsIn }, webSockets);
  return { webSockets, wasLeft };
}

interface Way {
  readonly name: string;
  /** Where `webSockets` get their connections from, and what is open. */
  begin(webSockets: WebSocketServer): { service: Service<net.Socket>; live: Set<WebSocket> };
}

const REFUSED = { status: 403, body: "no" };

const WAYS: readonly Way[] = [
  {
    name: "handOver() and ws's handshake",
    begin: (webSockets) => ({
      live: webSockets.clients,
      async service(request) {
        if (request.target === "/refused") return REFUSED;
        const [req, socket, early] = await handOver(request);
        webSockets.handleUpgrade(req, socket, early, (webSocket) => {
          webSockets.emit("connection", webSocket, req);
        });
        return undefined;
      },
    }),
  },
  {
    name: "our handshake and incomingMessage()",
    begin(webSockets) {
      const live = new Set<WebSocket>();
      const protocol = websocket({ subprotocols: [GRAPHQL_TRANSPORT_WS_PROTOCOL] });
      const switches = switching<net.Socket, [typeof protocol]>([
        [
          protocol,
          (parts, agreement, request) => {
            const socket = adopt(parts, agreement, { WebSocket: NEWEST.WebSocket });
            live.add(socket);
            webSockets.emit("connection", socket, incomingMessage(request, parts.io));
          },
        ],
      ]);
      return {
        live,
        service: (asked) => (asked.target === "/refused" ? REFUSED : switches(asked)),
      };
    },
  },
];

describe.each(WAYS)("graphql-ws on our server, by $name", ({ begin }) => {
  async function begun() {
    const { webSockets, wasLeft } = graphQl();
    const { service, live } = begin(webSockets);
    return { server: await serveHere(service), live, wasLeft };
  }

  /** graphql-ws's own client, which tries once, and how its WebSocket has closed. */
  function client(port: number, { path = "", secret = "right" } = {}) {
    const ended: { code: number; reason: string }[] = [];
    const made = createClient({
      url: `ws://127.0.0.1:${port}/${path}`,
      webSocketImpl: NEWEST.WebSocket,
      retryAttempts: 0,
      connectionParams: { secret },
      on: { closed: (event) => ended.push(event as (typeof ended)[0]) },
    });
    closeLater(() => made.dispose());
    return { client: made, ended };
  }

  const valuesOf = async (asking: Client, query: string): Promise<unknown[]> => {
    const values: unknown[] = [];
    for await (const { data } of asking.iterate({ query })) values.push(data);
    return values;
  };

  test("a subscription and a query, from end to end", async () => {
    const { server } = await begun();
    const { client: asking, ended } = client(portOf(server));
    expect(await valuesOf(asking, "subscription { count(to: 3) }")).toEqual([
      { count: 1 },
      { count: 2 },
      { count: 3 },
    ]);
    expect(await valuesOf(asking, "{ hello }")).toEqual([{ hello: "world" }]);
    await asking.dispose();
    await server.close({ timeoutMs: 0 });
    expect(ended).toMatchObject([{ code: 1000 }]);
  });

  test("two subscriptions on one connection", async () => {
    const { server } = await begun();
    const { client: asking } = client(portOf(server));
    const queries = [2, 4].map((to) => valuesOf(asking, `subscription { count(to: ${to}) }`));
    expect((await Promise.all(queries)).map((values) => values.length)).toEqual([2, 4]);
  });

  test("the client leaves a subscription in the middle", async () => {
    const { server, wasLeft } = await begun();
    const { client: asking } = client(portOf(server));
    for await (const { data } of asking.iterate({ query: "subscription { forever }" })) {
      expect(data).toEqual({ forever: 0 });
      break;
    }
    await wasLeft;
  });

  test("the server closes in the middle", async () => {
    const { server, live, wasLeft } = await begun();
    const { client: asking } = client(portOf(server));
    const values = asking.iterate({ query: "subscription { forever }" });
    expect(await values.next()).toMatchObject({ value: { data: { forever: 0 } } });
    const rest = values.next();
    rest.catch(() => {});
    for (const socket of live) socket.close(1001, "Going away");
    await expect(rest).rejects.toMatchObject({ code: 1001, reason: "Going away" });
    await wasLeft;
    await server.close({ timeoutMs: 0 });
  });

  test("a client that goes away leaves no subscription and no socket", async () => {
    const { server, wasLeft } = await begun();
    const peer = await dial(server);
    await peer.send(REQUEST);
    await peer.readHead();
    await peer.send(text('{"type":"connection_init"}'));
    await peer.readUntil('"connection_ack"}');
    const query = { id: "1", type: "subscribe", payload: { query: "subscription { forever }" } };
    await peer.send(text(JSON.stringify(query)));
    await peer.readUntil('"forever":0');
    peer.reset();
    await wasLeft;
    await closed(peer.socket);
    await server.close({ timeoutMs: 0 });
  });

  test("the first message may come with the request", async () => {
    const { server } = await begun();
    const peer = await dial(server);
    await peer.send(Buffer.concat([Buffer.from(REQUEST), text('{"type":"connection_init"}')]));
    expect(await peer.readHead()).toContain("Sec-WebSocket-Protocol: graphql-transport-ws\r\n");
    await peer.readUntil('"connection_ack"}');
    peer.reset();
  });

  test("who is not let in is closed with a code; an HTTP refusal is a failure", async () => {
    const { server } = await begun();
    const port = portOf(server);
    const { client: forbidden } = client(port, { secret: "wrong" });
    await expect(valuesOf(forbidden, "{ hello }")).rejects.toMatchObject({ code: 4403 });
    const { client: refused } = client(port, { path: "refused" });
    await expect(valuesOf(refused, "{ hello }")).rejects.toMatchObject({
      message: "Unexpected server response: 403",
    });
    await server.close({ timeoutMs: 0 });
  });

  test("an error of a query is an error of the query", async () => {
    const { server } = await begun();
    const { client: asking } = client(portOf(server));
    await expect(valuesOf(asking, "{ goodbye }")).rejects.toMatchObject([
      { message: 'Cannot query field "goodbye" on type "Query".' },
    ]);
  });
});

const REQUEST = head(
  "GET /",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  `Sec-WebSocket-Protocol: ${GRAPHQL_TRANSPORT_WS_PROTOCOL}`,
);

/** A text frame of a client, with a mask of zeros (RFC 6455 §5.2). */
function text(message: string): Buffer {
  expect(message.length).toBeLessThan(126);
  return Buffer.from([0x81, 0x80 | message.length, 0, 0, 0, 0, ...Buffer.from(message)]);
}
