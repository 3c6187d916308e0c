import { describe, expect, test } from "vitest";
import { textToLatin1 } from "./base/octets.ts";
import { HttpConnection } from "./http-connection.ts";
import type { RequestToSend, ResponseToSend } from "./message/events.ts";

const GET = {
  type: "request",
  method: "GET",
  target: "/",
  headers: [["Host", "a.test"]],
} as const satisfies RequestToSend;
const OK = {
  type: "response",
  status: 200,
  headers: [["A", "b"]],
  bodyLength: 0,
} as const satisfies ResponseToSend;
const CHAT = { Connection: "Upgrade", Upgrade: "chat" };
const ACCEPT = { type: "response", status: 101, headers: CHAT } as const;

const latin1 = (octets: Uint8Array): string => String.fromCharCode(...octets);
const send = (http: HttpConnection, ...given: Parameters<HttpConnection["send"]>): string =>
  latin1(http.send(...given));

function receive(http: HttpConnection, octets: string): void {
  http.receiveData(textToLatin1(octets));
  while (typeof http.nextEvent() === "object");
}

function requested(http: HttpConnection, start = "GET / HTTP/1.1", ...fields: string[]): void {
  receive(http, [start, "Host: a.test", ...fields, "", ""].join("\r\n"));
}

function serverOf(...request: string[]): HttpConnection {
  const server = new HttpConnection("server");
  requested(server, ...request);
  return server;
}

function code(send: () => unknown): unknown {
  try {
    send();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "nothing";
}

describe("L10: a prepared head is what is sent", () => {
  test("with the trailers that were checked with it", () => {
    const client = new HttpConnection("client");
    const headers: [string, string][] = [["Host", "a.test"]];
    const trailers: [string, string][] = [["T", "1"]];
    const event = { ...GET, method: "POST", headers, bodyLength: "unknown" } as const;
    const prepared = client.prepare(event, trailers);
    headers[0]![1] = "b.test";
    trailers[0]![0] = "Host";
    const sent = [
      send(client, prepared),
      send(client, { type: "data", bytes: "hi" }),
      send(client, { type: "end-of-message" }),
    ];
    expect(sent.join("")).toBe(
      "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: 1\r\n\r\n",
    );
  });

  test("and its trailers are written with a whole body, too", () => {
    const server = serverOf();
    const prepared = server.prepare({ ...OK, bodyLength: "unknown" }, { T: "1" });
    const octets: unknown[] = [];
    const sink = { text: (text: string) => octets.push(text), bytes: () => {} };
    server.sendWholeTo(sink, prepared, "hi");
    expect(octets.join("")).toMatch(/\r\n\r\n2\r\nhi\r\n0\r\nT: 1\r\n\r\n$/);
    expect(server.cycleIsOver).toBe(true);
  });

  test("trailers are refused together with the head", () => {
    const client = new HttpConnection("client");
    expect(code(() => client.prepare(GET, { T: "1" }))).toBe("INVALID_TRAILER");
    const event = { ...GET, method: "POST", bodyLength: "unknown" } as const;
    expect(code(() => client.prepare(event, { Host: "b.test" }))).toBe("INVALID_TRAILER");
    expect(client.ourState).toBe("idle");
  });

  test("preparing sends nothing and depends on no state", () => {
    const client = new HttpConnection("client");
    send(client, GET);
    const { head } = client.prepare({ ...GET, headers: { Host: "a.test", ...CHAT } });
    expect(head).toMatchObject({ type: "request", target: "/", framing: { kind: "none" } });
    expect(head.proposal?.protocols).toEqual(["chat"]);
    expect(client.ourState).toBe("send-body");
    expect(code(() => client.send(client.prepare(GET)))).toBe("WRONG_MOMENT");
  });

  test.each([
    ["client", () => [new HttpConnection("client"), GET] as const, "GET / HTTP/1.1\r\n"],
    ["server", () => [serverOf(), OK] as const, "HTTP/1.1 200 OK\r\n"],
  ])(
    "I08: a %s that has made its cycle the last since then adds Connection: close",
    (_, make, start) => {
      const [http, event] = make();
      const prepared = http.prepare(event);
      http.endPersistence();
      const sent = send(http, prepared);
      expect(sent.startsWith(start)).toBe(true);
      expect(sent).toMatch(/\r\nConnection: close\r\n\r\n$/);
    },
  );

  test("L6: but a switch does not", () => {
    const server = serverOf("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: chat");
    const prepared = server.prepare(ACCEPT);
    server.endPersistence();
    expect(send(server, prepared)).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n",
    );
    expect(server.switched).toMatchObject({ protocol: "chat", response: { status: 101 } });
  });
});

describe("L10: a prepared response is sent only to requests it was checked for", () => {
  const prepared = serverOf().prepare(OK);

  test("again and again, on any connection", () => {
    const server = serverOf();
    for (const start of ["GET /", "POST /2", "DELETE /3"]) {
      expect(send(server, prepared)).toBe("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\n\r\n");
      server.send({ type: "end-of-message" });
      server.startNextCycle();
      requested(server, `${start} HTTP/1.1`);
    }
  });

  test.each(["HEAD / HTTP/1.1", "GET / HTTP/1.0", "CONNECT a.test:443 HTTP/1.1"])(
    "not to %s",
    (start) => {
      const server = serverOf(start);
      expect(code(() => server.send(prepared))).toBe("WRONG_MOMENT");
      expect(server.ourState).toBe("send-response");
      expect(send(server, OK)).toContain(" 200 OK\r\n");
    },
  );

  test("a switch not to another proposal, even of the same protocol", () => {
    const offer = ["GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: chat"];
    const accepted = serverOf(...offer).prepare(ACCEPT);
    expect(code(() => serverOf(...offer).send(accepted))).toBe("WRONG_MOMENT");
  });

  test("nor a request by a server, nor a response by a client", () => {
    const client = new HttpConnection("client");
    expect(code(() => serverOf().send(client.prepare(GET)))).toBe("WRONG_MOMENT");
    expect(code(() => client.send(prepared))).toBe("WRONG_MOMENT");
  });
});

describe("L10: a head like the ones before on its connection is written as it was given", () => {
  const VALUES = ["1", "1", "1", "2", "1", "1\t2", "3", "3"];

  test("by a server", () => {
    const server = serverOf();
    for (const value of VALUES) {
      const headers = [
        ["A", value],
        ["B", "b"],
      ] as const;
      expect(send(server, { ...OK, headers })).toContain(`\r\nA: ${value}\r\nB: b\r\n`);
      server.send({ type: "end-of-message" });
      server.startNextCycle();
      requested(server);
    }
  });

  test("by a client", () => {
    const client = new HttpConnection("client");
    for (const value of VALUES) {
      const headers = [
        ["Host", "a.test"],
        ["A", value],
      ] as const;
      expect(send(client, { ...GET, headers })).toContain(`\r\nA: ${value}\r\n`);
      client.send({ type: "end-of-message" });
      receive(client, "HTTP/1.1 204 No Content\r\n\r\n");
      client.startNextCycle();
    }
  });

  test("after headers that were received and relayed, given as pairs", () => {
    const server = new HttpConnection("server");
    const sent = [undefined, undefined, [["Host", "a.test"]] as const].map((pairs) => {
      server.receiveData(textToLatin1("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"));
      const request = server.nextEvent();
      if (typeof request !== "object" || request.type !== "request") throw new Error("no request");
      while (typeof server.nextEvent() === "object");
      const text = send(server, { ...OK, headers: pairs ?? request.headers });
      server.send({ type: "end-of-message" });
      server.startNextCycle();
      return text;
    });
    expect(new Set(sent)).toEqual(
      new Set(["HTTP/1.1 200 OK\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n"]),
    );
  });

  test("with another reason, status, date, length or request", () => {
    const server = serverOf();
    const parts = [{}, {}, { reason: "Fine" }, { status: 201 }, { date: "now" }, { bodyLength: 1 }];
    const sent = [...parts, {}].map((part) => {
      const text = send(server, { ...OK, ...part });
      if ("bodyLength" in part) server.send({ type: "data", bytes: "." });
      server.send({ type: "end-of-message" });
      server.startNextCycle();
      requested(server);
      return text.split("\r\n");
    });
    expect(sent.map(([start]) => start?.slice("HTTP/1.1 ".length))).toEqual([
      ...["200 OK", "200 OK", "200 Fine", "201 Created", "200 OK", "200 OK", "200 OK"],
    ]);
    expect(sent.map((lines) => lines.includes("Date: now")).indexOf(true)).toBe(4);
    expect(sent.map((lines) => lines.includes("Content-Length: 1")).indexOf(true)).toBe(5);
  });
});
