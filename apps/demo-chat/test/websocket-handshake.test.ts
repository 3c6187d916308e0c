import { Headers, type HeadersInit } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { PerMessageDeflate } from "ws";
import { accept, acceptOf, HandshakeError, offer, verify } from "../src/websocket-handshake.ts";

// The example of RFC 6455 §1.3.
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const OPTIONS = { protocol: "chat.v1", maxMessageBytes: 1000 };

test("answers the example key of RFC 6455", () => {
  expect(acceptOf(KEY)).toBe(ACCEPT);
});

describe("offer", () => {
  test("uses 16 random bytes as the key of each offer", () => {
    const keys = [offer(OPTIONS).key, offer(OPTIONS).key];
    for (const key of keys) expect(Buffer.from(key, "base64")).toHaveLength(16);
    expect(keys[0]).not.toBe(keys[1]);
  });

  test("names the version, the subprotocol and the extension", () => {
    expect(offer({ ...OPTIONS, key: KEY }).headers).toEqual([
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", KEY],
      ["Sec-WebSocket-Protocol", "chat.v1"],
      ["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"],
    ]);
  });

  test("omits the extension if it is not wanted", () => {
    const { headers, deflate } = offer({ ...OPTIONS, deflate: false });
    expect(headers.map(([name]) => name)).not.toContain("Sec-WebSocket-Extensions");
    expect(deflate).toBeUndefined();
  });
});

describe("accept", () => {
  function answer(changes: Record<string, string | undefined> = {}, proposesWebSocket = true) {
    const lines = { "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY, ...changes };
    return accept({ headers: Headers.from(lines), proposesWebSocket }, OPTIONS);
  }

  test("accepts a minimal request and adds nothing", () => {
    expect(answer()).toMatchObject({
      accepted: true,
      headers: [["Sec-WebSocket-Accept", ACCEPT]],
      agreement: { protocol: "", extensions: {} },
    });
  });

  test("states what it would accept if no WebSocket is proposed", () => {
    const refusal = answer({}, false);
    expect(refusal).toMatchObject({ accepted: false, status: 426 });
    expect(refusal.headers).toEqual(
      expect.arrayContaining([
        ["Connection", "Upgrade"],
        ["Upgrade", "websocket"],
        ["Sec-WebSocket-Version", "13"],
      ]),
    );
  });

  test.each([undefined, "", "8", "13, 13", "013", "14"])(
    "answers version %j with 426 and the right version",
    (version) => {
      const refusal = answer({ "Sec-WebSocket-Version": version });
      expect(refusal).toMatchObject({ accepted: false, status: 426 });
      expect(refusal.headers).toContainEqual(["Sec-WebSocket-Version", "13"]);
    },
  );

  test.each([
    ["Sec-WebSocket-Key", undefined],
    ["Sec-WebSocket-Key", ""],
    ["Sec-WebSocket-Key", "c2hvcnQ="],
    ["Sec-WebSocket-Key", `${KEY}, ${KEY}`],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZS4uLg=="],
    ["Sec-WebSocket-Protocol", "chat.v1,"],
    ["Sec-WebSocket-Protocol", "chat.v1, chat.v1"],
    ["Sec-WebSocket-Extensions", "permessage-deflate; ="],
  ])("answers %s: %j with 400", (name, value) => {
    expect(answer({ [name]: value })).toMatchObject({ accepted: false, status: 400 });
  });

  test.each([
    ["chat.v1", "chat.v1"],
    ["other, chat.v1", "chat.v1"],
    ["other", ""],
    ["CHAT.V1", ""],
  ])("selects from the subprotocols %j %j", (offered, chosen) => {
    const accepted = answer({ "Sec-WebSocket-Protocol": offered });
    expect(accepted).toMatchObject({ accepted: true, agreement: { protocol: chosen } });
    const lines = accepted.headers.filter(([name]) => name === "Sec-WebSocket-Protocol");
    expect(lines.map(([, value]) => value)).toEqual(chosen === "" ? [] : [chosen]);
  });

  test.each([
    ["permessage-deflate"],
    ["permessage-deflate; client_max_window_bits"],
    ["x-unknown, permessage-deflate"],
    ["permessage-deflate; unknown=1, permessage-deflate"],
  ])("agrees to compress without context takeover: %s", (offered) => {
    const accepted = answer({ "Sec-WebSocket-Extensions": offered });
    expect(accepted.headers).toContainEqual([
      "Sec-WebSocket-Extensions",
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ]);
    expect(accepted).toMatchObject({
      agreement: { extensions: { "permessage-deflate": expect.any(PerMessageDeflate) } },
    });
  });

  test.each([
    "x-unknown",
    "permessage-deflate; unknown",
    "permessage-deflate; server_max_window_bits=7",
  ])("declines an unsupported extension, and accepts the WebSocket: %s", (offered) => {
    const accepted = answer({ "Sec-WebSocket-Extensions": offered });
    expect(accepted).toMatchObject({ accepted: true, agreement: { extensions: {} } });
    expect(accepted.headers.map(([name]) => name)).toEqual(["Sec-WebSocket-Accept"]);
  });
});

describe("verify", () => {
  const good = { "Sec-WebSocket-Accept": ACCEPT, "Sec-WebSocket-Protocol": "chat.v1" };

  function verified(lines: HeadersInit, deflate = true) {
    return verify(offer({ ...OPTIONS, key: KEY, deflate }), Headers.from(lines));
  }

  test("accepts a response that takes every offer", () => {
    const agreement = verified({ ...good, "Sec-WebSocket-Extensions": "permessage-deflate" });
    expect(agreement.protocol).toBe("chat.v1");
    expect(Object.keys(agreement.extensions)).toEqual(["permessage-deflate"]);
  });

  test("accepts a response without an extension", () => {
    expect(verified(good)).toEqual({ protocol: "chat.v1", extensions: {} });
  });

  test.each([
    ["Sec-WebSocket-Accept", undefined],
    ["Sec-WebSocket-Accept", acceptOf("AAAAAAAAAAAAAAAAAAAAAA==")],
    ["Sec-WebSocket-Accept", ACCEPT.toLowerCase()],
    ["Sec-WebSocket-Accept", `${ACCEPT}, ${ACCEPT}`],
    ["Sec-WebSocket-Protocol", undefined],
    ["Sec-WebSocket-Protocol", "chat.v2"],
    ["Sec-WebSocket-Protocol", "chat.v1, chat.v1"],
    ["Sec-WebSocket-Extensions", "x-unknown"],
    ["Sec-WebSocket-Extensions", "permessage-deflate, x-unknown"],
    ["Sec-WebSocket-Extensions", "permessage-deflate, permessage-deflate"],
    ["Sec-WebSocket-Extensions", "permessage-deflate; unknown"],
    ["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"],
    ["Sec-WebSocket-Extensions", ""],
  ])("rejects %s: %j by name", (name, value) => {
    const lines = { ...good, [name]: value };
    expect(() => verified(lines)).toThrow(HandshakeError);
    expect(() => verified(lines)).toThrow(name);
  });

  test("rejects an extension that was not offered", () => {
    const lines = { ...good, "Sec-WebSocket-Extensions": "permessage-deflate" };
    expect(() => verified(lines, false)).toThrow(HandshakeError);
  });
});

test("verify() accepts what accept() answers", () => {
  const offered = offer(OPTIONS);
  const answer = accept(
    { headers: Headers.from(offered.headers), proposesWebSocket: true },
    OPTIONS,
  );
  const agreement = verify(offered, Headers.from(answer.headers));
  expect(agreement.protocol).toBe("chat.v1");
  expect(agreement.extensions["permessage-deflate"]?.params).toEqual({
    server_no_context_takeover: true,
    client_no_context_takeover: true,
  });
});
