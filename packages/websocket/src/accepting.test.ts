import { Headers, type HeadersInit, type ProposedRequest } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import type { WebSocketOptions } from "./options.ts";
import { websocket } from "./websocket.ts";

// The example of RFC 6455 §1.3.
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

interface Changes {
  readonly [name: string]: string | readonly string[] | undefined;
}

function request(changes: Changes = {}, head: Partial<ProposedRequest> = {}): ProposedRequest {
  const headers = Headers.from({
    "Host": "a.test",
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...changes,
  });
  return { method: "GET", target: "/", version: "1.1", headers, ...head };
}

const lines = (headers: HeadersInit | undefined): string[] =>
  [...Headers.from(headers)].map((line) => line.join(": "));

/** The reason, status, headers and body of a refusal. */
function refused(asked: ProposedRequest, options: WebSocketOptions = {}) {
  const decision = websocket(options).accept(asked);
  if (!("refusal" in decision)) throw new Error("accepted");
  const { reason, refusal } = decision;
  const { status, headers, body } = refusal;
  return { reason, status, headers: Headers.from(headers), body: String(body) };
}

function accepted(asked: ProposedRequest, options: WebSocketOptions = {}) {
  const decision = websocket(options).accept(asked);
  if ("refusal" in decision) throw new Error(decision.reason);
  return { agreement: decision.agreement, lines: lines(decision.headers) };
}

describe("L4: a server refuses", () => {
  const version = "Sec-WebSocket-Version";
  const key = "Sec-WebSocket-Key";
  test.each<[string, number, Changes, Partial<ProposedRequest>, string]>([
    ["old-http", 400, {}, { version: "1.0" }, "needs HTTP/1.1"],
    ["wrong-method", 405, {}, { method: "POST" }, "is a GET"],
    ["wrong-method", 405, {}, { method: "get" }, "is a GET"],
    ["no-proposal", 426, { Upgrade: undefined }, {}, "Upgrade: websocket"],
    ["no-proposal", 426, { Upgrade: "websockets" }, {}, "Upgrade: websocket"],
    ["no-proposal", 426, { Connection: undefined }, {}, "Connection: Upgrade"],
    ["no-proposal", 426, { Connection: "close" }, {}, "Connection: Upgrade"],
    ["no-version", 426, { [version]: undefined }, {}, "Sec-WebSocket-Version: 13"],
    ["wrong-version", 426, { [version]: "8" }, {}, "must be 13"],
    ["wrong-version", 426, { [version]: "14" }, {}, "must be 13"],
    ["wrong-version", 426, { [version]: "013" }, {}, "must be 13"],
    ["wrong-version", 426, { [version]: "13, 8" }, {}, "must be 13"],
    ["wrong-version", 426, { [version]: "" }, {}, "must be 13"],
    ["repeated-field", 400, { [version]: ["13", "13"] }, {}, version],
    ["repeated-field", 400, { [key]: [KEY, KEY] }, {}, key],
    ["repeated-field", 400, { Origin: ["https://a.test", "https://b.test"] }, {}, "Origin"],
    ["no-key", 400, { [key]: undefined }, {}, "must have Sec-WebSocket-Key"],
    ["wrong-key", 400, { [key]: "" }, {}, "16 bytes in base64"],
    ["wrong-key", 400, { [key]: "c2hvcnQ=" }, {}, "16 bytes in base64"],
    ["wrong-key", 400, { [key]: `${KEY}, ${KEY}` }, {}, "16 bytes in base64"],
    ["wrong-key", 400, { [key]: "dGhlIHNhbXBsZSBub25jZS4=" }, {}, "16 bytes in base64"],
    ["wrong-key", 400, { [key]: "dGhlIHNhbXBsZSBub25jZQ" }, {}, "16 bytes in base64"],
    ["wrong-key", 400, { [key]: "dGhlIHNhbXBsZSBub25jZ-==" }, {}, "16 bytes in base64"],
    ["malformed-subprotocols", 400, { "Sec-WebSocket-Protocol": "a b" }, {}, "different tokens"],
    ["malformed-subprotocols", 400, { "Sec-WebSocket-Protocol": "a, a" }, {}, "different tokens"],
    ["malformed-subprotocols", 400, { "Sec-WebSocket-Protocol": ["a", "a"] }, {}, "tokens"],
    ["malformed-extensions", 400, { "Sec-WebSocket-Extensions": "a;" }, {}, "section 9.1"],
    ["malformed-extensions", 400, { "Sec-WebSocket-Extensions": ["a", "b c"] }, {}, "9.1"],
  ])("%s with %i: %j %j", (reason, status, changes, head, words) => {
    const refusal = refused(request(changes, head), { perMessageDeflate: true });
    expect(refusal).toMatchObject({ reason, status, body: expect.stringContaining(words) });
    // One plain sentence.
    expect(refusal.body).toMatch(/^[A-Z].*\.\n$/);
    expect(refusal.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(refusal.headers.get("upgrade")).toBe(status === 426 ? "websocket" : undefined);
    expect(refusal.headers.get(version)).toBe(status === 426 ? "13" : undefined);
    expect(refusal.headers.get("allow")).toBe(status === 405 ? "GET" : undefined);
  });

  test("with 403 a page of another origin", () => {
    const origins = ["https://a.test", "https://B.test:8443", "null"];
    for (const Origin of ["https://a.test", "HTTPS://A.TEST", "https://b.test:8443", "null"]) {
      accepted(request({ Origin }), { origins });
    }
    accepted(request(), { origins });
    for (const Origin of ["https://c.test", "http://a.test", "https://a.test:444", "", "a.test"]) {
      expect(refused(request({ Origin }), { origins })).toMatchObject({
        reason: "wrong-origin",
        status: 403,
        body: "Pages of this origin may not open a WebSocket here.\n",
      });
    }
  });

  test("with 403 what a function does not accept; it sees the request", () => {
    const origins = (origin: string | undefined, { target }: ProposedRequest) =>
      origin === "https://a.test" && target === "/";
    accepted(request({ Origin: "https://a.test" }), { origins });
    expect(refused(request(), { origins }).status).toBe(403);
    const elsewhere = request({ Origin: "https://a.test" }, { target: "/x" });
    expect(refused(elsewhere, { origins }).status).toBe(403);
  });

  test("an async function is an error, and never a welcome", () => {
    const origins = (async () => false) as never;
    expect(() => websocket({ origins }).accept(request())).toThrow("must return a boolean at once");
    const subprotocols = (async () => undefined) as never;
    expect(() => websocket({ subprotocols }).accept(request())).toThrow("must return one of those");
  });

  test("with 400 a client without a subprotocol that is required, and names those it speaks", () => {
    const options = { subprotocols: ["v2", "v1"], requireSubprotocol: true };
    for (const offered of [undefined, "", "v3", "V1"]) {
      expect(refused(request({ "Sec-WebSocket-Protocol": offered }), options)).toMatchObject({
        reason: "no-subprotocol",
        status: 400,
        body: "Sec-WebSocket-Protocol must offer a subprotocol that this server speaks: v2, v1.\n",
      });
    }
    const choosing = { subprotocols: () => undefined, requireSubprotocol: true };
    expect(refused(request(), choosing).reason).toBe("no-subprotocol");
  });
});

describe("a server accepts", () => {
  test("the example of RFC 6455, and adds nothing that was not asked", () => {
    const { agreement, lines } = accepted(request(), { subprotocols: ["v1"] });
    expect(lines).toEqual([`Sec-WebSocket-Accept: ${ACCEPT}`]);
    expect(agreement).toEqual({ role: "server", version: 13, protocol: "", extensions: [] });
  });

  test.each<[string | readonly string[], string]>([
    ["v1", "v1"],
    ["v2, v1", "v2"],
    ["v3, v1, v2", "v1"],
    [["v3", "v1"], "v1"],
    [",v1,", "v1"],
    ["V1", ""],
    ["v3", ""],
  ])("of the subprotocols %j the first that it speaks: %j", (offered, protocol) => {
    const subprotocols = ["v1", "v2"];
    const { agreement, lines } = accepted(request({ "Sec-WebSocket-Protocol": offered }), {
      subprotocols,
    });
    expect(agreement.protocol).toBe(protocol);
    expect(lines.slice(1)).toEqual(protocol === "" ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]);
  });

  test("L4: the subprotocol that a function chooses, if it was offered", () => {
    const asked = request({ "Sec-WebSocket-Protocol": "v1, v2" });
    const choosing = (choice: unknown) => ({ subprotocols: () => choice as string });
    expect(accepted(asked, { subprotocols: ([, second]) => second }).agreement.protocol).toBe("v2");
    expect(accepted(asked, choosing(undefined)).agreement.protocol).toBe("");
    for (const choice of ["v3", "", 7, null]) {
      expect(() => accepted(asked, choosing(choice))).toThrow("one of those offered");
    }
  });

  test.each<[string, WebSocketOptions["perMessageDeflate"], string | undefined]>([
    ["permessage-deflate", false, undefined],
    ["permessage-deflate", true, "permessage-deflate"],
    ["x-unknown", true, undefined],
    ["x-unknown; a=1, permessage-deflate", true, "permessage-deflate"],
    ["permessage-deflate; unknown, permessage-deflate", true, "permessage-deflate"],
    ["permessage-deflate; server_max_window_bits=7", true, undefined],
    [
      "permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=9",
      true,
      "permessage-deflate; server_max_window_bits=9",
    ],
    [
      'permessage-deflate; server_max_window_bits="10"',
      true,
      "permessage-deflate; server_max_window_bits=10",
    ],
    [
      "permessage-deflate, permessage-deflate; client_max_window_bits",
      { clientMaxWindowBits: 10 },
      "permessage-deflate; client_max_window_bits=10",
    ],
    ["permessage-deflate", { clientMaxWindowBits: 10 }, undefined],
  ])("of the extensions %j with %j: %j", (offered, perMessageDeflate, answer) => {
    const asked = request({ "Sec-WebSocket-Extensions": offered });
    const { agreement, lines } = accepted(asked, { perMessageDeflate });
    expect(lines.slice(1)).toEqual(answer ? [`Sec-WebSocket-Extensions: ${answer}`] : []);
    expect(agreement.extensions.map(({ name }) => name)).toEqual(
      answer ? ["permessage-deflate"] : [],
    );
    expect(agreement.deflate === undefined).toBe(answer === undefined);
  });
});

describe("a server over HTTP/2", () => {
  const h2 = (changes: Changes = {}): ProposedRequest => {
    const none = { "Connection": undefined, "Upgrade": undefined, "Sec-WebSocket-Key": undefined };
    return request({ ...none, ...changes }, { method: "CONNECT", version: "2" });
  };

  test("accepts without a key, and answers without an accept value", () => {
    const asked = h2({ "Sec-WebSocket-Protocol": "v1" });
    expect(accepted(asked, { subprotocols: ["v1"] }).lines).toEqual(["Sec-WebSocket-Protocol: v1"]);
  });

  test("answers another version with 400, which has no Upgrade there", () => {
    const refusal = refused(h2({ "Sec-WebSocket-Version": "8" }));
    expect(refusal).toMatchObject({ reason: "wrong-version", status: 400 });
    expect(refusal.headers.get("sec-websocket-version")).toBe("13");
    expect(refusal.headers.has("upgrade")).toBe(false);
  });

  test("refuses the other faults as over HTTP/1.1", () => {
    expect(refused(h2({ Origin: "https://b.test" }), { origins: [] }).status).toBe(403);
    expect(refused(h2({ "Sec-WebSocket-Extensions": ";" })).status).toBe(400);
  });
});
