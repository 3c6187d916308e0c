import { describe, expect, test } from "vitest";
import { ConnectionError, LocalProtocolError, RemoteProtocolError } from "../base/errors.ts";
import { endToEnd, endToEndTrailers, gatewayStatus } from "./forwarding.ts";
import { Headers } from "./headers.ts";

const forwarded = (lines: [string, string][], protocols?: readonly string[] | false) =>
  endToEnd(Headers.from(lines), protocols).toFlat();

describe("what an intermediary forwards (RFC 9110 §7.6.1)", () => {
  test("K02, K03: not Connection, nor the fields it names, nor known hop-by-hop fields", () => {
    const lines: [string, string][] = [
      ["Host", "a"],
      ["Connection", "X-Own, close"],
      ["X-Own", "1"],
      ["Keep-Alive", "1"],
      ["Proxy-Connection", "1"],
      ["TE", "trailers"],
      ["Transfer-Encoding", "chunked"],
      ["Upgrade", "a"],
      ["HTTP2-Settings", "AAMAAABk"],
      ["Accept", "*"],
    ];
    expect(forwarded(lines)).toEqual(["Host", "a", "Accept", "*"]);
  });

  test("K02: a client cannot remove Host, framing or forwarding fields by naming them", () => {
    const lines: [string, string][] = [
      ["Host", "a.test"],
      ["Connection", "Host, content-length, Transfer-Encoding, Cookie"],
      ["Content-Length", "5"],
      ["Cookie", "a=1"],
      ["X-Forwarded-For", "192.0.2.1"],
      ["connection", "X-FORWARDED-FOR, Authorization, Cache-Control"],
      ["Authorization", "Basic dTpw"],
      ["Cache-Control", "no-store"],
    ];
    expect(forwarded(lines)).toEqual(
      lines.filter(([name]) => name.toLowerCase() !== "connection").flat(),
    );
  });

  test("Expect without a body and Trailer without chunks announce nothing and are dropped", () => {
    const expects: [string, string][] = [
      ["Expect", "100-continue"],
      ["Trailer", "X-Sum"],
      ["A", "b"],
    ];
    expect(forwarded(expects)).toEqual(["A", "b"]);
    expect(forwarded([...expects, ["Content-Length", "00"]])).toEqual([
      ...["A", "b"],
      ...["Content-Length", "00"],
    ]);
    expect(forwarded([...expects, ["content-length", "5"]])).toEqual([
      ...["Expect", "100-continue"],
      ...["A", "b", "content-length", "5"],
    ]);
    const chunked: [string, string] = ["transfer-encoding", "chunked"];
    expect(forwarded([...expects, chunked])).toEqual(expects.flat());
  });

  test("only SP and HTAB surround an option: a NBSP is not white space", () => {
    const lines: [string, string][] = [
      ["Connection", "\u00a0X"],
      ["X", "1"],
    ];
    expect(forwarded(lines)).toEqual(["X", "1"]);
  });
});

describe("L4, U15: a proposal passes a proxy only for protocols that the proxy names", () => {
  const offer = (...upgrades: string[]): [string, string][] => [
    ["Connection", "upgrade, HTTP2-Settings"],
    ["HTTP2-Settings", "AAMAAABk"],
    ["X", "1"],
    ...upgrades.map((value): [string, string] => ["upgrade", value]),
  ];
  const proposing = (...upgrades: string[]) => [
    ...["Connection", "Upgrade", "X", "1"],
    ...upgrades.flatMap((value) => ["upgrade", value]),
  ];

  test("not h2c, alone, in a list, in another case or on a line of its own", () => {
    expect(forwarded(offer("h2c"), ["websocket"])).toEqual(["X", "1"]);
    for (const list of ["h2c, websocket", "websocket ,\tH2C", ",websocket,,h2c/2", "websocket"]) {
      expect(forwarded(offer(list), ["websocket"])).toEqual(proposing("websocket"));
    }
    expect(forwarded(offer("h2c", "websocket"), ["websocket"])).toEqual(proposing("websocket"));
  });

  test("h2c, if it is named", () => {
    expect(forwarded(offer("h2c"), ["h2c"])).toEqual(proposing("h2c"));
  });

  test("names are compared whole, ignoring case, and keep their spelling", () => {
    const list = "WebSocket, websocket/13, IRC/6.9";
    expect(forwarded(offer(list), ["websocket", "irc/6.9"])).toEqual(
      proposing("WebSocket, IRC/6.9"),
    );
    expect(forwarded(offer("websocket/13", "IRC/6.9"), ["websocket", "irc"])).toEqual(["X", "1"]);
  });

  test("every line keeps its place, and Connection becomes one line", () => {
    expect(forwarded([...offer("a", "b"), ["Y", "2"]], ["b", "a"])).toEqual([
      ...proposing("a", "b"),
      ...["Y", "2"],
    ]);
  });

  test("no protocol passes if none is named, nor an Upgrade that Connection does not name", () => {
    expect(forwarded(offer("websocket"))).toEqual(["X", "1"]);
    expect(forwarded(offer("websocket"), [])).toEqual(["X", "1"]);
    // As in `status === 426 && ["websocket"]`.
    expect(forwarded(offer("websocket"), false)).toEqual(["X", "1"]);
    expect(forwarded([["Upgrade", "websocket"]], ["websocket"])).toEqual([]);
  });

  test.each([true, "websocket", new Set(["websocket"]), [1], ["h2c", undefined]])(
    "%o is not a list of protocols",
    (wrong) => {
      expect(() => endToEnd(Headers.from(offer("h2c")), wrong as never)).toThrow(
        'protocols is a list, such as ["websocket"]',
      );
    },
  );
});

describe("what a gateway answers", () => {
  const timeout = Object.assign(new Error("slow"), { name: "TimeoutError" });
  const unreachable = Object.assign(new Error("slow"), { code: "ETIMEDOUT" });

  test.each([
    [502, "a transport that failed", new ConnectionError("TRANSPORT_FAILED")],
    [502, "an upstream that breaks the rules", new RemoteProtocolError("BAD_STATUS")],
    [504, "a deadline of ours", new ConnectionError("ANSWER_TIMEOUT")],
    [
      504,
      "a deadline that another error has as its cause",
      new ConnectionError("NOT_SENT", "", { cause: new ConnectionError("WRITE_TIMEOUT") }),
    ],
    [504, "a signal that timed out", new ConnectionError("CANCELED", "", { cause: timeout })],
    [
      504,
      "a connection that the system gave up",
      new ConnectionError("NOT_SENT", "", {
        cause: new ConnectionError("TRANSPORT_FAILED", "", { cause: unreachable }),
      }),
    ],
    [500, "a request that may not be sent", new LocalProtocolError("INVALID_HOST")],
    [500, "an error of the caller's own", new TypeError("mine")],
    [500, "a timeout that is not an error of a connection", timeout],
    [500, "a value that is not an error", undefined],
  ])("is %i for %s", (status, _, error) => {
    expect(gatewayStatus(error)).toBe(status);
  });

  test("is 502 if the cause cannot be read, or is circular", () => {
    const error = new ConnectionError("CANCELED", "", { cause: new Error("x") });
    Object.defineProperty(error.cause, "name", {
      get: () => {
        throw new Error("not to be read");
      },
    });
    const circular = new ConnectionError("CANCELED", "", { cause: new Error("x") });
    (circular.cause as Error).cause = circular;
    expect([gatewayStatus(error), gatewayStatus(circular)]).toEqual([502, 502]);
  });
});

test("trailers go on without the fields that no trailer section may have (RFC 9110 §6.5.1)", () => {
  const lines = ["X-Sum", "1", "Content-length", "5", "x-sum", "2", "Connection", "close"];
  expect(endToEndTrailers(Headers.fromFlat(lines)).toFlat()).toEqual(["X-Sum", "1", "x-sum", "2"]);
});
