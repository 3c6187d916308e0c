import { Headers, type HeadersInit, type HttpVersion } from "@upgrade/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocketHandshakeError } from "./handshake-error.ts";
import type { WebSocketOptions } from "./options.ts";
import { websocket } from "./websocket.ts";

// The example of RFC 6455 §1.3.
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

afterEach(() => void vi.unstubAllGlobals());

interface Changes {
  readonly [name: string]: string | readonly string[] | undefined;
}

const lines = (headers: HeadersInit | undefined): string[] =>
  [...Headers.from(headers)].map((line) => line.join(": "));

describe("a client", () => {
  /** An offer with the key of the RFC's example. */
  function offered(options: WebSocketOptions = {}, version: HttpVersion = "1.1") {
    vi.stubGlobal("crypto", {
      getRandomValues: (bytes: Uint8Array) => {
        bytes.set(Buffer.from(KEY, "base64"));
        return bytes;
      },
    });
    return websocket(options).offer(version);
  }

  test("offers version, key, subprotocols in order, and compression", () => {
    const options = { subprotocols: ["v2", "v1"], perMessageDeflate: { serverMaxWindowBits: 10 } };
    expect(lines(offered(options).headers)).toEqual([
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${KEY}`,
      "Sec-WebSocket-Protocol: v2, v1",
      "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10; client_max_window_bits",
    ]);
    expect(lines(offered().headers)).toHaveLength(2);
  });

  test("has 16 random bytes as the key of each offer", () => {
    const protocol = websocket();
    const keys = Array.from(
      { length: 50 },
      () => Headers.from(protocol.offer("1.1").headers).get("sec-websocket-key")!,
    );
    for (const key of keys) expect(Buffer.from(key, "base64")).toHaveLength(16);
    expect(new Set(keys).size).toBe(50);
  });

  test.each([undefined, {}])("without random bytes offers nothing: crypto is %j", (crypto) => {
    vi.stubGlobal("crypto", crypto);
    expect(() => websocket().offer("1.1")).toThrow(
      expect.objectContaining({ reason: "no-random-bytes" }),
    );
  });

  test("cannot offer what a function would choose", () => {
    const protocol = websocket({ subprotocols: () => undefined });
    expect(() => protocol.offer("1.1")).toThrow("a client needs a list");
  });

  const accept = "Sec-WebSocket-Accept";
  const extensions = "Sec-WebSocket-Extensions";
  const deflate = "permessage-deflate";
  const all = { subprotocols: ["v1", "v2"], perMessageDeflate: true };
  const required = { ...all, requireSubprotocol: true };
  const limited = { perMessageDeflate: { serverMaxWindowBits: 10, clientMaxWindowBits: 9 } };
  test.each<[string, Changes, WebSocketOptions, string]>([
    ["no-accept-key", { [accept]: undefined }, {}, "not a WebSocket server"],
    ["wrong-accept-key", { [accept]: "" }, {}, ACCEPT],
    ["wrong-accept-key", { [accept]: ACCEPT.toLowerCase() }, {}, ACCEPT],
    ["wrong-accept-key", { [accept]: `${ACCEPT}, ${ACCEPT}` }, {}, ACCEPT],
    ["repeated-field", { [accept]: [ACCEPT, ACCEPT] }, {}, accept],
    ["repeated-field", { "Sec-WebSocket-Protocol": ["v1", "v1"] }, all, "Sec-WebSocket-Protocol"],
    ["unknown-subprotocol", { "Sec-WebSocket-Protocol": "v1" }, {}, '"v1"'],
    ["unknown-subprotocol", { "Sec-WebSocket-Protocol": "v3" }, all, '"v3"'],
    ["unknown-subprotocol", { "Sec-WebSocket-Protocol": "V1" }, all, '"V1"'],
    ["unknown-subprotocol", { "Sec-WebSocket-Protocol": "v1, v2" }, all, '"v1, v2"'],
    ["unknown-subprotocol", { "Sec-WebSocket-Protocol": "" }, all, '""'],
    ["no-subprotocol", {}, required, "requireSubprotocol"],
    ["malformed-extensions", { [extensions]: `${deflate};` }, all, "9.1"],
    ["unknown-extension", { [extensions]: deflate }, {}, deflate],
    ["unknown-extension", { [extensions]: "x-mux" }, all, "x-mux"],
    ["unknown-extension", { [extensions]: `${deflate}, x-mux` }, all, "x-mux"],
    ["repeated-extension", { [extensions]: `${deflate}, ${deflate}` }, all, "twice"],
    ["repeated-extension", { [extensions]: [deflate, deflate] }, all, "twice"],
    ["wrong-deflate-parameters", { [extensions]: `${deflate}; x` }, all, "x is unknown"],
    ["wrong-deflate-parameters", { [extensions]: deflate }, limited, "is missing"],
    [
      "wrong-deflate-parameters",
      { [extensions]: `${deflate}; server_max_window_bits=11` },
      limited,
      "more than the 10 offered",
    ],
  ])("L4: does not accept an answer: %s %j", (reason, changes, options, words) => {
    const headers = Headers.from({ [accept]: ACCEPT, ...changes });
    const verify = () => offered(options).verify({ status: 101, version: "1.1", headers });
    expect(verify).toThrow(WebSocketHandshakeError);
    expect(verify).toThrow(expect.objectContaining({ reason, name: "WebSocketHandshakeError" }));
    expect(verify).toThrow(words);
  });

  test.each<[Changes, WebSocketOptions, object]>([
    [{}, {}, { protocol: "", extensions: [] }],
    [{}, all, { protocol: "", extensions: [] }],
    [{ [extensions]: "" }, all, { extensions: [] }],
    [{ "Sec-WebSocket-Protocol": "v2" }, required, { protocol: "v2" }],
    [
      { [extensions]: `${deflate}; server_max_window_bits="8"` },
      limited,
      {
        extensions: [{ name: deflate, params: { server_max_window_bits: "8" } }],
        deflate: {
          serverNoContextTakeover: false,
          clientNoContextTakeover: false,
          serverMaxWindowBits: 8,
          clientMaxWindowBits: 9,
        },
      },
    ],
  ])("accepts %j to %j as %j", (changes, options, agreement) => {
    const headers = Headers.from({ [accept]: ACCEPT, ...changes });
    const agreed = offered(options).verify({ status: 101, version: "1.1", headers });
    expect(agreed).toMatchObject({ role: "client", version: 13, ...agreement });
  });

  test("over HTTP/2 has no key, and needs no accept value (RFC 8441 §5)", () => {
    const { headers, verify } = offered({ subprotocols: ["v1"] }, "2");
    expect(lines(headers)).toEqual(["Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: v1"]);
    const response = { status: 200, version: "2", headers: new Headers() } as const;
    expect(verify(response)).toMatchObject({ protocol: "" });
  });
});
